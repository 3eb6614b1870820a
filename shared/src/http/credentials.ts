import type { Request } from 'express';

/** What a caller signs in with: the scheme in lower case, and what follows it. */
export interface Credentials {
  readonly scheme: string;
  readonly value: string;
}

/**
 * The header Authorization (RFC 9110, 11.6.2). Of two none counts: a proxy may have checked the one that we would not read.
 */
export function readCredentials(req: Request): Credentials | undefined {
  const [header = '', ...others] = req.headersDistinct.authorization ?? [];
  const [, scheme, value] = /^([^ \t]+)[ \t]+([^ \t]+)$/.exec(header) ?? [];
  return scheme && value && others.length === 0 ? { scheme: scheme.toLowerCase(), value } : undefined;
}
