import type { Request } from 'express';
import { Problem } from '../errors/index.js';

/**
 * Scheme, host, port and prefix of the URL that the caller used, as the proxies before us tell. They need not be trusted:
 * an answer with it is for this caller only.
 *
 * @throws Problem bad-request: not a host or a prefix
 */
export function publicUrlOf(req: Request): string {
  const host = forwarded(req, 'host') ?? req.get('host') ?? '';
  if (!/^(?:[a-z0-9._-]+|\[[0-9a-f:.]+\])(?::\d{1,5})?$/i.test(host)) {
    throw new Problem('bad-request', 'The Host header is not a host name with or without a port.');
  }
  const scheme = forwarded(req, 'proto')?.toLowerCase() === 'https' ? 'https' : 'http';
  return `${scheme}://${host}${publicPrefixOf(req)}`;
}

/**
 * The path that a proxy took away from the front of the caller’s; empty when there is none.
 *
 * @throws Problem bad-request: not a path
 */
export function publicPrefixOf(req: Request): string {
  const prefix = (forwarded(req, 'prefix') ?? '').replace(/\/+$/, '');
  if (/^(?:\/[\w.~-]+)*$/.test(prefix)) return prefix;
  throw new Problem('bad-request', 'X-Forwarded-Prefix is not a path.');
}

/** X-Forwarded-… or Forwarded (RFC 7239). In a list the first is the outermost proxy’s. */
function forwarded(req: Request, what: 'host' | 'prefix' | 'proto'): string | undefined {
  const [first = ''] = (req.get(`x-forwarded-${what}`) ?? '').split(',');
  if (first.trim() !== '') return first.trim();
  const [element = ''] = (req.get('forwarded') ?? '').split(',');
  return new RegExp(`(?:^|;)\\s*${what}="?([^";]+)`, 'i').exec(element)?.[1];
}
