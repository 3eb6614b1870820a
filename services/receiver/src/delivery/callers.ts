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
  return /^(::1$|(::ffff:)?127\.)/i.test(address);
}
