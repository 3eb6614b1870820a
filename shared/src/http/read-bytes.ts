import type { Request, Response } from 'express';
import { KiB, MINUTE, MiB } from '../config/index.js';
import { Problem } from '../errors/index.js';
import { failBody } from './unreadable.js';

/**
 * The whole body of a call; undefined when there is none. body-parser takes a request whose sender has ended its direction,
 * or is gone, for one without a body, and the call would then be made without it.
 *
 * @param withinMs how long it may take to arrive: a MiB in a minute is 17 KiB a second
 * @throws Problem too-large, unsupported-media-type (compressed), bad-request (incomplete, or too slow)
 */
export async function readBytes(req: Request, maxBytes: number, withinMs = MINUTE): Promise<Buffer | undefined> {
  const { 'transfer-encoding': chunked, 'content-length': length } = req.headers;
  if (chunked === undefined && length === undefined) return undefined;
  requireUncompressed(req);
  const chunks: Buffer[] = [];
  let size = Number(req.get('content-length') ?? 0);
  const requireRoom = () => {
    if (size <= maxBytes) return;
    const limit = maxBytes < MiB ? `${maxBytes / KiB} KiB` : `${maxBytes / MiB} MiB`;
    throw new Problem('too-large', `The body is over the limit of ${limit}.`);
  };
  requireRoom();
  size = 0;
  const late = setTimeout(() => failLate(req), withinMs);
  try {
    // Not destroyed, as its socket carries the answer.
    for await (const chunk of req.iterator({ destroyOnReturn: false })) {
      size += chunk.length;
      requireRoom();
      chunks.push(chunk);
    }
  } catch (error) {
    throw error instanceof Problem ? error : new Problem('bad-request', 'The body is not complete.', { cause: error });
  } finally {
    clearTimeout(late);
  }
  return Buffer.concat(chunks);
}

/** The caller is answered, and not waited for. */
function failLate(req: Request): void {
  const res = req.res as Response;
  res.shouldKeepAlive = false;
  failBody(res, new Error('The body is too slow.'));
}

/** @throws Problem unsupported-media-type */
export function requireUncompressed(req: Request): void {
  if ((req.headers['content-encoding'] ?? 'identity').toLowerCase() !== 'identity') {
    throw new Problem('unsupported-media-type', 'Send the body uncompressed.');
  }
}
