import { finished, Readable } from 'node:stream';
import { KiB } from '@indbakke/shared/config';
import { Problem } from '@indbakke/shared/errors';
import type { Request, Response } from 'express';
import type { ReceiverConfig } from '../config.js';
import { type Callers, requireAllowedCaller } from './callers.js';
import { mayBeXml, mediaTypeOf } from './content-type.js';
import type { Uploads } from './uploads.js';

// How long a refused caller may keep sending before the connection is cut: long enough to read the answer.
const DRAIN_MS = 10_000;

// What a SOAP envelope or a form may add; readXml measures the message.
const MAX_WRAPPER_BYTES = 64 * KiB;

export interface BodyRules {
  /** Taken beside whatever may be XML, and named in the refusal of others. */
  readonly mediaTypes: readonly string[];
  /** The message is inside an envelope or a form. */
  readonly wrapped: boolean;
  readonly callers: Callers;
  readonly uploads: Uploads;
  readonly config: ReceiverConfig;
}

/**
 * Streams the body of a delivery. Refuses before reading: a caller who may not deliver, another media type, a compressed
 * body, one over the limit, one too many. A caller that sent `Expect: 100-continue` is then never asked for the body.
 *
 * @throws Problem at once because of the headers; later when the connection ends early or the body takes too long
 */
export function readBody(req: Request, res: Response, rules: BodyRules): Readable {
  const { mediaTypes, wrapped, callers, uploads, config } = rules;
  const maxBytes = config.MAX_MESSAGE_BYTES + (wrapped ? MAX_WRAPPER_BYTES : 0);
  res.once('finish', () => discardRest(req));
  requireAllowedCaller(req, callers);
  checkHeaders(req, mediaTypes, maxBytes);
  uploads.begin(req, res);
  return limitedBody(req, res, { maxBytes, maxSeconds: config.MAX_UPLOAD_SECONDS });
}

function checkHeaders(req: Request, mediaTypes: readonly string[], maxBytes: number): void {
  const type = mediaTypeOf(req.get('content-type'));
  if (!mediaTypes.includes(type) && !mayBeXml(type)) {
    throw new Problem('unsupported-media-type', `Send the message as ${mediaTypes.join(' or ')}.`);
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

/** The reader may destroy it at any time. The request stays open: its socket carries the refusal. */
function limitedBody(req: Request, res: Response, { maxBytes, maxSeconds }: BodyLimits): Readable {
  let bytes = 0;
  const take = (chunk: Buffer) => {
    bytes += chunk.length;
    if (bytes > maxBytes) body.destroy(new Problem('too-large', `The body is over ${maxBytes} bytes, the limit.`));
    else if (!body.push(chunk)) req.pause();
  };
  const body = new Readable({
    // Chunk by chunk: as bytes, chunks that wait would be copied into one, and the request paused for each.
    objectMode: true,
    highWaterMark: 4,
    read: () => req.resume(),
    destroy(error, done) {
      clearTimeout(timer);
      req.off('data', take);
      done(error);
    },
  });
  // A peer that trickles bytes would otherwise keep its place for ever.
  const timer = setTimeout(() => {
    if (!res.headersSent) res.set('Connection', 'close');
    const detail = `The message took longer than ${maxSeconds} s, the limit. Send it again.`;
    body.destroy(new Problem('body-incomplete', detail));
  }, maxSeconds * 1_000);
  finished(req, { writable: false }, (cause) => {
    const detail = 'The connection ended before the message did. Send it again.';
    if (cause) body.destroy(new Problem('body-incomplete', detail, { cause }));
    else body.push(null);
  });
  res.once('finish', () => body.destroy()); // in case it was never read
  body.on('error', () => {}); // thrown to the reader
  req.on('data', take);
  return body;
}

/** Discards what a caller still sends after the answer, for a while, so that it reads that and can reuse the connection. */
function discardRest(req: Request): void {
  if (req.complete) return;
  // Node does this only for a request that was never read from.
  req.resume();
  const timer = setTimeout(() => req.socket.destroy(), DRAIN_MS);
  req.once('close', () => clearTimeout(timer));
  timer.unref();
}
