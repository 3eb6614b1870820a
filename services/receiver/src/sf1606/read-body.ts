import { KiB } from '@indbakke/shared/config';
import { Problem } from '@indbakke/shared/errors';
import type { Request, Response } from 'express';
import type { ReceiverConfig } from '../config.js';
import { requireAllowedCaller } from './callers.js';
import type { Uploads } from './uploads.js';

// How long a caller who was refused unread may go on sending before the connection is cut: long enough to read the answer.
const DRAIN_MS = 10_000;

// What a SOAP envelope or a form may add to the message; the message itself is measured by the splitter.
const ROOM_AROUND_MESSAGE = 64 * KiB;

export interface BodyRules {
  readonly mediaTypes: readonly string[];
  /** The message stands inside something else: an envelope, a form. */
  readonly wrapped: boolean;
  readonly uploads: Uploads;
  readonly config: ReceiverConfig;
}

/**
 * The body of a delivery as it comes. What the headers already rule out is refused unread: a caller who may not deliver,
 * another media type, a compressed body, one over the limit, one too many. A caller who asked first (`Expect: 100-continue`) is then never told
 * to send it.
 *
 * @throws Problem at once for the headers; through the iteration when the connection ends too early
 */
export function readBody(
  req: Request,
  res: Response,
  { mediaTypes, wrapped, uploads, config }: BodyRules,
): AsyncIterable<Buffer> {
  const maxBytes = config.MAX_MESSAGE_BYTES + (wrapped ? ROOM_AROUND_MESSAGE : 0);
  try {
    requireAllowedCaller(req, config);
    checkHeaders(req, mediaTypes, maxBytes);
    uploads.begin(res);
  } catch (problem) {
    discardRest(req, res);
    throw problem;
  }
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
  let ended = false;
  let bytes = 0;
  let waiting = false;
  const deadline = startDeadline(maxSeconds);
  // The request is kept when the reading stops early: its socket carries the refusal.
  const chunks = req.iterator({ destroyOnReturn: false })[Symbol.asyncIterator]() as AsyncIterator<Buffer>;
  try {
    for (;;) {
      const { done, value: chunk } = await deadline.within(() => chunks.next());
      if (done) break;
      bytes += chunk.length;
      if (bytes > maxBytes) throw new Problem('too-large', `The body is over ${maxBytes} bytes, the limit.`);
      yield chunk;
    }
    ended = true;
  } catch (cause) {
    if (cause instanceof Problem) throw cause;
    if (cause instanceof TooSlow) {
      waiting = true;
      res.set('Connection', 'close');
      throw new Problem('body-incomplete', `The message took longer than ${maxSeconds} s, the limit. Send it again.`);
    }
    throw new Problem('body-incomplete', 'The connection ended before the message did. Send it again.', { cause });
  } finally {
    deadline.stop();
    const left = chunks.return?.();
    // Where a chunk is still waited for, only the end of the connection ends that.
    if (!waiting) await left;
    if (!ended) discardRest(req, res);
  }
}

class TooSlow extends Error {}

interface Deadline {
  /** What the wait gives, or TooSlow when the time is over first. */
  within<T>(wait: () => Promise<T>): Promise<T>;
  stop(): void;
}

/** A peer that always sends one more byte in time would keep its place for ever. */
function startDeadline(seconds: number): Deadline {
  let passed = false;
  let fail: (error: Error) => void = () => {};
  const timer = setTimeout(() => {
    passed = true;
    fail(new TooSlow());
  }, seconds * 1_000);
  return {
    // Not a race with one promise for the whole upload: that one would remember every chunk until the end.
    within: (wait) =>
      new Promise((resolve, reject) => {
        fail = reject;
        if (passed) reject(new TooSlow());
        else wait().then(resolve, reject);
      }),
    stop: () => clearTimeout(timer),
  };
}

/**
 * Throws away what a refused caller still sends, so that it comes to read the answer, and its connection can go on. Not for
 * ever.
 */
function discardRest(req: Request, res: Response): void {
  const discard = () => {
    if (req.complete) return;
    // Node does so by itself only where nobody has begun to read.
    req.resume();
    const timer = setTimeout(() => req.socket.destroy(), DRAIN_MS);
    req.once('close', () => clearTimeout(timer));
    timer.unref();
  };
  // Inside a form the reading may stop after the answer is out.
  if (res.writableFinished) discard();
  else res.once('finish', discard);
}
