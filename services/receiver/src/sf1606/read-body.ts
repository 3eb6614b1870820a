import { Problem } from '@indbakke/shared/errors';
import type { Request, Response } from 'express';

// How long a caller who was refused unread may go on sending before the connection is cut: long enough to read the answer.
const DRAIN_MS = 10_000;

export interface BodyRules {
  readonly mediaTypes: readonly string[];
  readonly maxBytes: number;
}

/**
 * The body of a delivery as it comes. What the headers already rule out is refused unread: another media type, a
 * compressed body, one over the limit. Only then is a caller who asked (`Expect: 100-continue`) told to send it.
 *
 * @throws Problem at once for the headers; through the iteration when the connection ends too early
 */
export function readBody(req: Request, res: Response, { mediaTypes, maxBytes }: BodyRules): AsyncIterable<Buffer> {
  try {
    checkHeaders(req, mediaTypes, maxBytes);
  } catch (problem) {
    cutWhenSlow(req, res);
    throw problem;
  }
  if (req.get('expect')?.toLowerCase() === '100-continue') res.writeContinue();
  return chunksOf(req, res);
}

function checkHeaders(req: Request, mediaTypes: readonly string[], maxBytes: number): void {
  const type = req.get('content-type');
  if (type !== undefined && !req.is([...mediaTypes])) {
    throw new Problem('unsupported-media-type', `Send the message as ${mediaTypes.join(' or ')}.`);
  }
  const charset = /charset="?([^";\s]+)/i.exec(type ?? '')?.[1];
  if (charset !== undefined && charset.toLowerCase() !== 'utf-8') {
    throw new Problem('not-utf8', 'The Content-Type names another charset than utf-8.');
  }
  if ((req.get('content-encoding') ?? 'identity') !== 'identity') {
    throw new Problem('unsupported-media-type', 'Send the message uncompressed.');
  }
  const length = Number(req.get('content-length') ?? 0);
  if (length > maxBytes) {
    throw new Problem('too-large', `The body has ${length} bytes; the limit is ${maxBytes}.`);
  }
}

async function* chunksOf(req: Request, res: Response): AsyncGenerator<Buffer> {
  let ended = false;
  try {
    // The request is kept when the reading stops early: its socket carries the refusal.
    for await (const chunk of req.iterator({ destroyOnReturn: false })) yield chunk as Buffer;
    ended = true;
  } catch (cause) {
    throw new Problem('body-incomplete', 'The connection ended before the message did. Send it again.', { cause });
  } finally {
    if (!ended) cutWhenSlow(req, res);
  }
}

/** Node discards what a refused caller still sends, so that it can read the answer. Not for ever. */
function cutWhenSlow(req: Request, res: Response): void {
  res.once('finish', () => {
    if (req.complete) return;
    const timer = setTimeout(() => req.socket.destroy(), DRAIN_MS);
    req.once('close', () => clearTimeout(timer));
    timer.unref();
  });
}
