import { Problem } from '@indbakke/shared/errors';
import type { Request } from 'express';

/** Who may deliver: this machine only, or any caller. */
export type Callers = 'loopback' | 'any';

// What proxies add to say for whom they speak: RFC 7239, RFC 9110 7.6.3, RFC 8586, RFC 9440, and the names that others gave
// to it (X-Forwarded-For, X-Real-IP, CF-Connecting-IP, X-Azure-ClientIP, X-Envoy-External-Address, X-Original-Host …), or
// to the client certificate that they have checked (X-SSL-Client-Verify …).
const FORWARDED =
  /^(?:.*forwarded.*|via|cdn-loop|x-original-.+|(?:.+-)?client-cert(?:-.+)?|(?:x-)?(?:ssl|tls)-.+|.*(?:-|client|socket)ip|.*-addr(?:ess)?)$/;

/**
 * A request that a proxy on this machine passes on is not of this machine. One whose proxy does not say so looks like it is.
 *
 * @throws Problem caller-not-allowed
 */
export function requireAllowedCaller(req: Request, callers: Callers): void {
  if (callers === 'any') return;
  if (
    isLoopback(req.socket.remoteAddress ?? '') &&
    !Object.keys(req.headers).some((name) => FORWARDED.test(name.replaceAll('_', '-')))
  )
    return;
  throw new Problem('caller-not-allowed', 'Deliveries are accepted from this machine only; see SF1606_CALLERS.');
}

function isLoopback(address: string): boolean {
  return /^(::1$|(::ffff:)?127\.)/i.test(address);
}
