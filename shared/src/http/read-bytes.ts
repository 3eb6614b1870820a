import type { Request, RequestHandler } from 'express';
import { MiB } from '../config/index.js';
import { Problem } from '../errors/index.js';

/**
 * Reads the whole body of a call into `req.body`, a Buffer; undefined when there is none. body-parser takes a request whose
 * sender has ended its direction, or is gone, for one without a body, and the call would then be made without it.
 *
 * @throws Problem too-large, unsupported-media-type (compressed), bad-request (incomplete)
 */
export function readBytes(maxBytes: number): RequestHandler {
  return async (req, _res, next) => {
    const { 'transfer-encoding': chunked, 'content-length': length, 'content-encoding': coding } = req.headers;
    if (chunked === undefined && length === undefined) return next();
    if ((coding ?? 'identity').toLowerCase() !== 'identity') {
      throw new Problem('unsupported-media-type', 'Send the body uncompressed.');
    }
    req.body = await bytesOf(req, maxBytes);
    next();
  };
}

async function bytesOf(req: Request, maxBytes: number): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let size = Number(req.get('content-length') ?? 0);
  const requireRoom = () => {
    if (size > maxBytes) throw new Problem('too-large', `The body is over the limit of ${maxBytes / MiB} MiB.`);
  };
  requireRoom();
  size = 0;
  try {
    // Not destroyed, as its socket carries the answer.
    for await (const chunk of req.iterator({ destroyOnReturn: false })) {
      size += chunk.length;
      requireRoom();
      chunks.push(chunk);
    }
  } catch (error) {
    throw error instanceof Problem ? error : new Problem('bad-request', 'The body is not complete.', { cause: error });
  }
  return Buffer.concat(chunks);
}
