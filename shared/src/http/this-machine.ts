import type { Request } from 'express';
import { isLoopback } from './caller-address.js';

// What proxies add to say for whom they speak: RFC 7239, RFC 9110 7.6.3, RFC 8586, RFC 9440, and the names that others gave
// to it (X-Forwarded-For, X-Real-IP, CF-Connecting-IP, X-Azure-ClientIP, X-Envoy-External-Address, X-Original-Host …), or
// to the client certificate that they have checked (X-SSL-Client-Verify …).
const FORWARDED =
  /^(?:.*forwarded.*|via|cdn-loop|x-original-.+|(?:.+-)?client-cert(?:-.+)?|(?:x-)?(?:ssl|tls)-.+|.*(?:-|client|socket)ip|.*-addr(?:ess)?)$/;

/**
 * Whether a call comes from this machine. A request that a proxy on it passes on does not; one whose proxy does not say so looks as if
 * it did.
 */
export const isOfThisMachine = (req: Request): boolean =>
  isLoopback(req.socket.remoteAddress) &&
  !Object.keys(req.headers).some((name) => FORWARDED.test(name.replaceAll('_', '-')));
