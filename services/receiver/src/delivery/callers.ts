import { isIPv6 } from 'node:net';
import { Problem } from '@indbakke/shared/errors';
import type { Request } from 'express';

/** Who may deliver by a channel: this machine only, or any. */
export type Callers = 'loopback' | 'any';

/** @throws Problem caller-not-allowed unless the calling system may deliver here */
export function requireAllowedCaller(req: Request, callers: Callers): void {
  if (callers === 'any' || isLoopback(req.socket.remoteAddress ?? '')) return;
  throw new Problem('caller-not-allowed', 'Messages are taken in from this machine only, as the service is set up.');
}

function isLoopback(address: string): boolean {
  const plain = isIPv6(address) ? address.replace(/^::ffff:/i, '') : address;
  return plain === '::1' || plain.startsWith('127.');
}
