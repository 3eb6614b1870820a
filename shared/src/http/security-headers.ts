import type { RequestHandler, Response } from 'express';

/** Directives of a Content-Security-Policy with their sources. */
export type ContentPolicy = Readonly<Record<string, string>>;

/** What an answer that a browser shows may do: nothing, and in nobody’s frame. */
const NOTHING: ContentPolicy = {
  'default-src': "'none'",
  'base-uri': "'none'",
  'form-action': "'none'",
  'frame-ancestors': "'none'",
};

/** What every answer tells a browser, whatever it contains. */
export const securityHeaders: RequestHandler = (_req, res, next) => {
  allowPage(res, {});
  res.set({
    'Cross-Origin-Opener-Policy': 'same-origin',
    'Cross-Origin-Resource-Policy': 'same-origin',
    'Referrer-Policy': 'no-referrer',
    'X-Content-Type-Options': 'nosniff',
  });
  next();
};

/** Allows a page what it needs, such as `{ 'script-src': "'self'" }`. No page needs another host. */
export function allowPage(res: Response, needed: ContentPolicy): void {
  const directives = Object.entries({ ...NOTHING, ...needed });
  res.set('Content-Security-Policy', directives.map((directive) => directive.join(' ')).join('; '));
}
