import type { RequestHandler } from 'express';
import { mediaTypeOf } from './content-type.js';
import { readBytes } from './read-bytes.js';

/** Reads the fields of a form into `req.body`; of what is no form there are none. */
export function readForm(maxBytes: number): RequestHandler {
  return async (req, _res, next) => {
    const isForm = mediaTypeOf(req.get('content-type')) === 'application/x-www-form-urlencoded';
    const bytes = isForm ? await readBytes(req, maxBytes) : undefined;
    req.body = Object.fromEntries(new URLSearchParams(bytes?.toString()));
    next();
  };
}
