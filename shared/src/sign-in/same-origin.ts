import type { Request } from 'express';
import { publicUrlOf } from '../http/index.js';

/** Whether a page of ours sent it, as the browser tells (RFC 6454, 7): another site cannot make a browser say so. */
export function isSameOrigin(req: Request): boolean {
  return req.get('origin') === new URL(publicUrlOf(req)).origin;
}
