import { isIP } from 'node:net';
import type { Request } from 'express';

/**
 * The address that a call came from, for the audit log: of the connection, or what the proxies in TRUSTED_PROXIES tell
 * (X-Forwarded-For, from the last one on as long as they are trusted). An IPv4 address is written as one.
 */
export function addressOf(req: Request): string | undefined {
  const [told, connected] = [req.ip, req.socket.remoteAddress].map(plainAddress);
  // A proxy may pass on what a client wrote, which may be anything.
  return told !== undefined && isIP(told) > 0 ? told : connected;
}

/** An IPv4 address in IPv6 (`::ffff:127.0.0.1`) as itself. */
export const plainAddress = (address: string | undefined) => address?.replace(/^::ffff:(?=\d)/i, '');

export const isLoopback = (address: string | undefined): boolean => /^(?:::1$|127\.)/.test(plainAddress(address) ?? '');
