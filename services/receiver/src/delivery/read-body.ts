import { KiB } from '@indbakke/shared/config';
import { Problem } from '@indbakke/shared/errors';
import { BrokenOff, readFlowing, type Source, type Take } from '@indbakke/shared/flow';
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
 * @throws Problem at once for the headers; through the source when the connection ends too early
 */
export function readBody(req: Request, res: Response, rules: BodyRules): Source {
  const { mediaTypes, wrapped, callers, uploads, config } = rules;
  const maxBytes = config.MAX_MESSAGE_BYTES + (wrapped ? ROOM_AROUND_MESSAGE : 0);
  try {
    requireAllowedCaller(req, callers);
    checkHeaders(req, mediaTypes, maxBytes);
    uploads.begin(res);
  } catch (problem) {
    discardRest(req, res);
    throw problem;
  }
  const limits = { maxBytes, maxSeconds: config.MAX_UPLOAD_SECONDS };
  return async (take, stop) => {
    try {
      await readWithin(limits, req, take, stop);
    } catch (error) {
      // The request is kept when the reading stops early: its socket carries the refusal.
      discardRest(req, res);
      throw error instanceof BrokenOff ? incomplete(error.cause, res, limits) : error;
    }
  };
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

class TooSlow extends Error {}

async function readWithin({ maxBytes, maxSeconds }: BodyLimits, req: Request, take: Take, stop?: AbortSignal) {
  let bytes = 0;
  const takeWithin: Take = (chunk) => {
    bytes += chunk.length;
    if (bytes > maxBytes) throw new Problem('too-large', `The body is over ${maxBytes} bytes, the limit.`);
    return take(chunk);
  };
  // A peer that always sends one more byte in time would keep its place for ever.
  const late = new AbortController();
  const timer = setTimeout(() => late.abort(new TooSlow()), maxSeconds * 1_000);
  try {
    await readFlowing(req, takeWithin, stop ? AbortSignal.any([stop, late.signal]) : late.signal);
  } finally {
    clearTimeout(timer);
  }
}

function incomplete(cause: unknown, res: Response, { maxSeconds }: BodyLimits): Problem {
  if (cause instanceof TooSlow) {
    res.set('Connection', 'close');
    return new Problem('body-incomplete', `The message took longer than ${maxSeconds} s, the limit. Send it again.`);
  }
  return new Problem('body-incomplete', 'The connection ended before the message did. Send it again.', { cause });
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
