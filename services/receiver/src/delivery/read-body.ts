import { finished, Readable } from 'node:stream';
import { KiB } from '@indbakke/shared/config';
import { Problem } from '@indbakke/shared/errors';
import { mediaTypeOf } from '@indbakke/shared/http';
import type { Request, Response } from 'express';
import type { ReceiverConfig } from '../config.js';
import { type Callers, requireAllowedCaller } from './callers.js';
import { mayBeXml } from './content-type.js';
import type { Uploads } from './uploads.js';

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
  requireAllowedCaller(req, callers);
  checkHeaders(req, mediaTypes, maxBytes);
  return limitedBody(req, res, maxBytes, uploads);
}

function checkHeaders(req: Request, mediaTypes: readonly string[], maxBytes: number): void {
  const type = mediaTypeOf(req.get('content-type'));
  if (!mediaTypes.includes(type) && !mayBeXml(type)) {
    throw new Problem('unsupported-media-type', `Send the message as ${mediaTypes.join(' or ')}.`);
  }
  if ((req.get('content-encoding') ?? 'identity').toLowerCase() !== 'identity') {
    throw new Problem('unsupported-media-type', 'Send the message uncompressed.');
  }
  const length = Number(req.get('content-length') ?? 0);
  if (length > maxBytes) {
    throw new Problem('too-large', `The body has ${length} bytes; the limit is ${maxBytes}.`);
  }
}

/** The reader may destroy it at any time. The request stays open: its socket carries the refusal. */
function limitedBody(req: Request, res: Response, maxBytes: number, uploads: Uploads): Readable {
  let bytes = 0;
  const take = (chunk: Buffer) => {
    bytes += chunk.length;
    upload.took(chunk.length);
    if (bytes > maxBytes) body.destroy(new Problem('too-large', `The body is over ${maxBytes} bytes, the limit.`));
    else if (!body.push(chunk)) setFlowing(false);
  };
  const setFlowing = (flowing: boolean) => {
    upload.waiting = flowing;
    if (flowing) req.resume();
    else req.pause();
  };
  const body = new Readable({
    // Chunk by chunk: as bytes, chunks that wait would be copied into one, and the request paused for each.
    objectMode: true,
    highWaterMark: 4,
    read: () => setFlowing(true),
    destroy(error, done) {
      upload.waiting = false;
      req.off('data', take);
      done(error);
    },
  });
  const upload = uploads.begin(req, res, (problem) => {
    // The caller may go on for long.
    if (!res.headersSent) res.set('Connection', 'close');
    body.destroy(problem);
  });
  finished(req, { writable: false }, (cause) => {
    upload.waiting = false;
    const detail = 'The connection ended before the message did. Send it again.';
    if (cause) body.destroy(new Problem('body-incomplete', detail, { cause }));
    else body.push(null);
  });
  res.once('finish', () => body.destroy()); // in case it was never read
  body.on('error', () => {}); // thrown to the reader
  req.on('data', take);
  return body;
}
