import { BlockList, isIP } from 'node:net';
import { TLSSocket } from 'node:tls';
import { Problem } from '@indbakke/shared/errors';
import { addressOf, isLoopback, isOfThisMachine, plainAddress } from '@indbakke/shared/http';
import type { Request } from 'express';
import type { CertificateFault, ClientCertificates } from './client-certificates.js';
import { certificateOfProxy, namesCertificate, type ProxyFormat } from './proxy-certificate.js';
import type { RefusedCallers } from './refused-callers.js';

/** Why a caller may not deliver. */
export type CallerFault = CertificateFault | 'not-loopback' | 'header-of-a-stranger';

/** Who may deliver. */
export type Callers = (req: Request) => CallerFault | undefined;

/** This machine (isOfThisMachine). */
export const onlyLoopback: Callers = (req) => (isOfThisMachine(req) ? undefined : 'not-loopback');

/** A proxy that verifies the key of who calls it, and passes on the certificate. */
export interface Proxies {
  /** Addresses and networks. */
  readonly networks: readonly string[];
  readonly format: ProxyFormat;
}

/**
 * Who shows a certificate that is taken: in the handshake with us, or with a proxy of ours, which speaks with us over TLS or from this
 * machine. A header with a certificate from anybody else is an attempt.
 */
export function withCertificate(certificates: ClientCertificates, proxies: Proxies | undefined): Callers {
  const ours = new BlockList();
  for (const network of proxies?.networks ?? []) {
    const [address = '', bits] = network.split('/');
    const family = isIP(address) === 6 ? 'ipv6' : 'ipv4';
    ours.addSubnet(address, bits === undefined ? (family === 'ipv6' ? 128 : 32) : Number(bits), family);
  }
  return (req) => {
    const address = plainAddress(req.socket.remoteAddress) ?? '';
    const isSafe = req.socket instanceof TLSSocket || isLoopback(address);
    if (proxies && isSafe && isIP(address) > 0 && ours.check(address, isIP(address) === 6 ? 'ipv6' : 'ipv4')) {
      return certificates.check(certificateOfProxy(req, proxies.format)).fault;
    }
    if (namesCertificate(req)) return 'header-of-a-stranger';
    const shown = req.socket instanceof TLSSocket ? req.socket.getPeerCertificate().raw : undefined;
    return certificates.check(shown && new Uint8Array(shown)).fault;
  };
}

const SENTENCES: Readonly<Record<CallerFault, string>> = {
  'not-loopback': 'Deliveries are accepted from this machine only; see SF1606_CALLERS.',
  'header-of-a-stranger':
    'Only a proxy of SF1606_TLS_PROXIES may pass on a certificate, over TLS or from this machine.',
  missing: 'Show a client certificate.',
  unreadable: 'The client certificate cannot be read.',
  'unknown-issuer': 'The client certificate is of another issuer than those of SF1606_TLS_ISSUERS_FILE.',
  'not-yet-valid': 'The client certificate is not valid yet.',
  expired: 'The client certificate has expired, or its issuer’s has.',
  'not-named': 'The client certificate is for another organisation or system than those of SF1606_TLS_CLIENTS.',
  revoked: 'The client certificate was revoked.',
  'revocation-unknown': 'Whether the client certificate was revoked cannot be told: the list is missing or too old.',
};

/** Who may deliver, and who hears of the others. */
export interface CallerRules {
  readonly callers: Callers;
  readonly refused: RefusedCallers;
}

/** @throws Problem caller-not-allowed */
export function requireAllowedCaller(req: Request, { callers, refused }: CallerRules): void {
  const fault = callers(req);
  if (!fault) return;
  refused.add(fault, addressOf(req));
  throw new Problem('caller-not-allowed', SENTENCES[fault]);
}
