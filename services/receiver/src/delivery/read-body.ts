import { KiB } from '@indbakke/shared/config';
import { Problem } from '@indbakke/shared/errors';
import type { Request, Response } from 'express';
import type { ReceiverConfig } from '../config.js';
import { type Callers, requireAllowedCaller } from './callers.js';
import type { Uploads } from './uploads.js';

// How long a caller who was refused unread may go on sending before the connection is cut: long enough to read the answer.
const DRAIN_MS = 10_000;

// What a SOAP envelope or a form may add to the message; the message itself is measured by readXml.
const ROOM_AROUND_MESSAGE = 64 * KiB;

export interface BodyRules {
  readonly mediaTypes: readonly string[];
  /** The message stands inside something else: an envelope, a form. */
  readonly wrapped: boolean;
  readonly callers: Callers;
  readonly uploads: Uploads;
  readonly config: ReceiverConfig;
}

/**
 * The body of a delivery as it comes. What the headers already rule out is refused unread: a caller who may not deliver,
 * another media type, a compressed body, one over the limit, one too many. A caller who asked first (`Expect: 100-continue`) is then never told
 * to send it.
 *
 * @throws Problem at once for the headers; while it is read when the connection ends too early
 */
export function readBody(req: Request, res: Response, rules: BodyRules): AsyncIterable<Buffer> {
  const { mediaTypes, wrapped, callers, uploads, config } = rules;
  const maxBytes = config.MAX_MESSAGE_BYTES + (wrapped ? ROOM_AROUND_MESSAGE : 0);
  res.once('finish', () => discardRest(req));
  requireAllowedCaller(req, callers);
  checkHeaders(req, mediaTypes, maxBytes);
  uploads.begin(res);
  return chunksOf(req, res, { maxBytes, maxSeconds: config.MAX_UPLOAD_SECONDS });
}

function checkHeaders(req: Request, mediaTypes: readonly string[], maxBytes: number): void {
  const type = req.get('content-type');
  if (type !== undefined && !req.is([...mediaTypes])) {
    throw new Problem('unsupported-media-type', `Send the message as ${mediaTypes.join(' or ')}.`);
  }
  const charset = /charset="?([^";\s]+)/i.exec(type ?? '')?.[1];
  if (charset !== undefined && !/^utf-?8$/i.test(charset)) {
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

interface BodyLimits {
  readonly maxBytes: number;
  readonly maxSeconds: number;
}

async function* chunksOf(req: Request, res: Response, { maxBytes, maxSeconds }: BodyLimits): AsyncGenerator<Buffer> {
  // The request is kept when the reading stops early: its socket carries the refusal.
  const chunks = req.iterator({ destroyOnReturn: false });
  // A peer that always sends one more byte in time would keep its place for ever.
  let giveUp: (problem: Problem) => void = () => {};
  const timer = setTimeout(() => {
    res.set('Connection', 'close');
    const detail = `The message took longer than ${maxSeconds} s, the limit. Send it again.`;
    giveUp(new Problem('body-incomplete', detail));
  }, maxSeconds * 1_000);
  // Not Promise.race, which would keep every chunk until the timer ends.
  const nextChunk = () =>
    new Promise<IteratorResult<Buffer>>((resolve, reject) => {
      giveUp = reject;
      chunks.next().then(resolve, reject);
    });
  let bytes = 0;
  try {
    while (true) {
      const { done, value: chunk } = await nextChunk();
      if (done) return;
      bytes += chunk.length;
      if (bytes > maxBytes) throw new Problem('too-large', `The body is over ${maxBytes} bytes, the limit.`);
      yield chunk;
    }
  } catch (error) {
    if (error instanceof Problem) throw error;
    throw new Problem('body-incomplete', 'The connection ended before the message did. Send it again.', {
      cause: error,
    });
  } finally {
    clearTimeout(timer);
    void chunks.return?.(); // not waited for: it ends with the chunk that is awaited
  }
}

/**
 * Throws away what a caller still sends after the answer, so that it comes to read that, and its connection can go on. Not
 * for ever.
 */
function discardRest(req: Request): void {
  if (req.complete) return;
  // Node does so by itself only where nobody has begun to read.
  req.resume();
  const timer = setTimeout(() => req.socket.destroy(), DRAIN_MS);
  req.once('close', () => clearTimeout(timer));
  timer.unref();
}
