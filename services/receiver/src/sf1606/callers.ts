import { isIPv6 } from 'node:net';
import { Problem } from '@indbakke/shared/errors';
import type { Request } from 'express';
import type { ReceiverConfig } from '../config.js';

/** @throws Problem caller-not-allowed unless the calling system may deliver here */
export function requireAllowedCaller(req: Request, { SF1606_CALLERS: callers }: ReceiverConfig): void {
  if (callers === 'any' || isLoopback(req.socket.remoteAddress ?? '')) return;
  throw new Problem('caller-not-allowed', 'Mail is taken in from this machine only. See SF1606_CALLERS in the set-up.');
}

function isLoopback(address: string): boolean {
  const plain = isIPv6(address) ? address.replace(/^::ffff:/i, '') : address;
  return plain === '::1' || plain.startsWith('127.');
}
