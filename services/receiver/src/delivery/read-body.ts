import { finished, Readable } from 'node:stream';
import { KiB, MiB } from '@indbakke/shared/config';
import { Problem } from '@indbakke/shared/errors';
import { mediaTypeOf } from '@indbakke/shared/http';
import { Trail } from '@indbakke/shared/xml';
import type { Request, Response } from 'express';
import { type CallerRules, requireAllowedCaller } from '../callers/callers.js';
import type { ReceiverConfig } from '../config.js';
import { openSpill, type SpillParts } from '../quarantine/spill.js';
import { mayBeXml } from './content-type.js';
import type { Uploads } from './uploads.js';

// What a SOAP envelope or a form may add; readXml measures the message.
const MAX_WRAPPER_BYTES = 64 * KiB;

export interface BodyRules extends SpillParts, CallerRules {
  /** Taken beside whatever may be XML, and named in the refusal of others. */
  readonly mediaTypes: readonly string[];
  /** The message is inside an envelope or a form. */
  readonly wrapped: boolean;
  readonly uploads: Uploads;
  readonly config: ReceiverConfig;
}

/**
 * Streams the body of a delivery. Refuses before reading: a caller who may not deliver, another media type, a compressed
 * body, one over the limit, one too many. A caller that sent `Expect: 100-continue` is then never asked for the body.
 *
 * @throws Problem at once because of the headers; later when the connection ends early or the body takes too long
 */
export function readBody(req: Request, res: Response, rules: BodyRules): DeliveryBody {
  const { mediaTypes, wrapped, uploads, config } = rules;
  const maxBytes = config.MAX_MESSAGE_BYTES + (wrapped ? MAX_WRAPPER_BYTES : 0);
  requireAllowedCaller(req, rules);
  checkHeaders(req, mediaTypes, maxBytes);
  const trail = new Trail(config.MAX_SKELETON_BYTES + TRAIL_BYTES, () => openSpill(rules));
  return limitedBody(req, res, { maxBytes, trail, uploads });
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

/** The body of a delivery: once as it is read, and once more as it came. */
export interface DeliveryBody {
  /** The reader may destroy it at any time. The request stays open: its socket carries the refusal. */
  readonly stream: Readable;
  readonly trail: Trail;
  /** What comes after the stream was destroyed, and is not in the trail. It fails as the stream does. */
  rest(): Readable;
}

// What the markup of an envelope, and line ends of base64 that are not alike, may take besides the skeleton.
const TRAIL_BYTES = MiB;

function limitedBody(
  req: Request,
  res: Response,
  { maxBytes, trail, uploads }: { maxBytes: number; trail: Trail; uploads: Uploads },
): DeliveryBody {
  let bytes = 0;
  let isOver = false;
  let isSpilling = false;
  const setFlowing = (flowing: boolean) => {
    upload.waiting = flowing && !isSpilling;
    if (upload.waiting) req.resume();
    else req.pause();
  };
  const hold = (spilling: Promise<void> | undefined) => {
    if (!spilling) return;
    isSpilling = true;
    setFlowing(false);
    void spilling.then(() => {
      isSpilling = false;
      if (isWanted) setFlowing(true);
    });
  };
  let isWanted = true;
  const open = (leavesTrail: boolean) => {
    const take = (chunk: Buffer) => {
      bytes += chunk.length;
      upload.took(chunk.length);
      if (leavesTrail) hold(trail.came(chunk));
      if (bytes > maxBytes) body.destroy(new Problem('too-large', `The body is over ${maxBytes} bytes, the limit.`));
      else if (!body.push(chunk)) {
        isWanted = false;
        setFlowing(false);
      }
    };
    const body = new Readable({
      // Chunk by chunk: as bytes, chunks that wait would be copied into one, and the request paused for each.
      objectMode: true,
      highWaterMark: 4,
      read() {
        isWanted = true;
        setFlowing(true);
      },
      destroy(error, done) {
        upload.waiting = false;
        isWanted = false;
        req.off('data', take);
        req.pause(); // it may be read on
        done(error);
      },
    });
    body.on('error', () => {}); // thrown to the reader
    req.on('data', take);
    return body;
  };
  const upload = uploads.begin(req, res, (problem) => {
    // The caller may go on for long.
    if (!res.headersSent) res.set('Connection', 'close');
    current.destroy(problem);
  });
  finished(req, { writable: false }, (cause) => {
    upload.waiting = false;
    isOver = true;
    const detail = 'The connection ended before the message did. Send it again.';
    if (cause) current.destroy(new Problem('body-incomplete', detail, { cause }));
    else current.push(null);
  });
  res.once('finish', () => current.destroy()); // in case it was never read
  let current = open(true);
  return {
    stream: current,
    trail,
    rest() {
      current = open(false);
      if (isOver && req.complete) current.push(null);
      else if (isOver) current.destroy(new Problem('body-incomplete', 'The connection ended before the message did.'));
      return current;
    },
  };
}
