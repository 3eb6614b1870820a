import type { RequestHandler, Response } from 'express';

/** Directives of a Content-Security-Policy with their sources. */
type ContentPolicy = Readonly<Record<string, string>>;

const NOTHING: ContentPolicy = {
  'default-src': "'none'",
  'base-uri': "'none'",
  'form-action': "'none'",
  'frame-ancestors': "'none'",
};

const textOf = (policy: ContentPolicy) =>
  Object.entries(policy)
    .map((directive) => directive.join(' ').trim())
    .join('; ');

const HEADERS = {
  'Content-Security-Policy': textOf(NOTHING),
  'Cross-Origin-Opener-Policy': 'same-origin',
  'Cross-Origin-Resource-Policy': 'same-origin',
  'Referrer-Policy': 'no-referrer',
  'X-Content-Type-Options': 'nosniff',
};

/** Tells a browser that an answer may load and run nothing, whatever it contains. */
export const securityHeaders: RequestHandler = (_req, res, next) => {
  res.set(HEADERS);
  next();
};

/** Allows a page what it needs, such as `{ 'script-src': "'self'" }`: never another host, never scripts in the page. */
export function allowPage(res: Response, needed: ContentPolicy): void {
  res.set('Content-Security-Policy', textOf({ ...NOTHING, ...needed }));
}

/** For bytes that a citizen sent: a browser that shows them gives them no rights of this site. */
export function sandboxContent(res: Response): void {
  allowPage(res, { sandbox: '' });
}
