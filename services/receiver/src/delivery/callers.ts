import { isIPv6 } from 'node:net';
import { Problem } from '@indbakke/shared/errors';
import type { Request } from 'express';

/** Who may deliver: this machine only, or any caller. */
export type Callers = 'loopback' | 'any';

/** @throws Problem caller-not-allowed */
export function requireAllowedCaller(req: Request, callers: Callers): void {
  if (callers === 'any' || isLoopback(req.socket.remoteAddress ?? '')) return;
  throw new Problem('caller-not-allowed', 'Deliveries are accepted from this machine only; see SF1606_CALLERS.');
}

function isLoopback(address: string): boolean {
  const plain = isIPv6(address) ? address.replace(/^::ffff:/i, '') : address;
  return plain === '::1' || plain.startsWith('127.');
}
