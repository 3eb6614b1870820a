import type { Request } from 'express';
import { MiB } from '../config/index.js';
import { Problem } from '../errors/index.js';

/**
 * The whole body of a call; undefined when there is none. body-parser takes a request whose sender has ended its direction,
 * or is gone, for one without a body, and the call would then be made without it.
 *
 * @throws Problem too-large, unsupported-media-type (compressed), bad-request (incomplete)
 */
export async function readBytes(req: Request, maxBytes: number): Promise<Buffer | undefined> {
  const { 'transfer-encoding': chunked, 'content-length': length } = req.headers;
  if (chunked === undefined && length === undefined) return undefined;
  requireUncompressed(req);
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

/** @throws Problem unsupported-media-type */
export function requireUncompressed(req: Request): void {
  if ((req.headers['content-encoding'] ?? 'identity').toLowerCase() !== 'identity') {
    throw new Problem('unsupported-media-type', 'Send the body uncompressed.');
  }
}
