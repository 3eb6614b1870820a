import { KiB } from '@indbakke/shared/config';
import { Problem } from '@indbakke/shared/errors';
import type { Request, Response } from 'express';
import type { ReceiverConfig } from '../config.js';
import { type Callers, requireAllowedCaller } from './callers.js';
import type { Uploads } from './uploads.js';

// How long a refused caller may keep sending before the connection is cut: long enough to read the answer.
const DRAIN_MS = 10_000;

// What a SOAP envelope or a form may add; readXml measures the message.
const MAX_WRAPPER_BYTES = 64 * KiB;

export interface BodyRules {
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
export function readBody(req: Request, res: Response, rules: BodyRules): AsyncIterableIterator<Buffer> {
  const { mediaTypes, wrapped, callers, uploads, config } = rules;
  const maxBytes = config.MAX_MESSAGE_BYTES + (wrapped ? MAX_WRAPPER_BYTES : 0);
  res.once('finish', () => discardRest(req));
  requireAllowedCaller(req, callers);
  checkHeaders(req, mediaTypes, maxBytes);
  uploads.begin(res);
  return new Body(req, res, { maxBytes, maxSeconds: config.MAX_UPLOAD_SECONDS });
}

function checkHeaders(req: Request, mediaTypes: readonly string[], maxBytes: number): void {
  const type = req.get('content-type');
  if (type !== undefined && !req.is([...mediaTypes])) {
    throw new Problem('unsupported-media-type', `Send the message as ${mediaTypes.join(' or ')}.`);
  }
  const charset = /charset="?([^";\s]+)/i.exec(type ?? '')?.[1];
  if (charset !== undefined && !/^utf-?8$/i.test(charset)) {
    throw new Problem('not-utf8', 'The Content-Type names a charset other than utf-8.');
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

/**
 * The chunks of a body. `return` ends the reading at once, even while a chunk is awaited, which a generator cannot do. The
 * request is never destroyed: its socket carries the refusal.
 */
class Body implements AsyncIterableIterator<Buffer> {
  readonly #req: Request;
  readonly #res: Response;
  readonly #limits: BodyLimits;
  readonly #chunks: NodeJS.AsyncIterator<Buffer>;
  #bytes = 0;
  #timer: NodeJS.Timeout | undefined;
  /** Why nothing more is read. */
  #failure: Error | undefined;
  #rejectPending: (failure: Error) => void = () => {};

  constructor(req: Request, res: Response, limits: BodyLimits) {
    this.#req = req;
    this.#res = res;
    this.#limits = limits;
    this.#chunks = req.iterator({ destroyOnReturn: false });
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  next(): Promise<IteratorResult<Buffer>> {
    if (this.#failure) return Promise.reject(this.#failure);
    this.#timer ??= setTimeout(() => this.#giveUp(), this.#limits.maxSeconds * 1_000);
    // Not Promise.race with the timer, which would keep every chunk until it fires.
    return new Promise((resolve, reject) => {
      this.#rejectPending = reject;
      this.#readChunk().then(resolve, (failure: Error) => this.#stop(failure));
    });
  }

  return(): Promise<IteratorResult<Buffer>> {
    this.#stop(new Error('The rest of the body is not read.'));
    return Promise.resolve({ done: true, value: undefined });
  }

  async #readChunk(): Promise<IteratorResult<Buffer>> {
    const result = await this.#chunks.next().catch((cause: unknown) => {
      const detail = 'The connection ended before the message did. Send it again.';
      throw new Problem('body-incomplete', detail, { cause });
    });
    if (result.done) clearTimeout(this.#timer);
    else this.#bytes += result.value.length;
    const { maxBytes } = this.#limits;
    if (this.#bytes > maxBytes) throw new Problem('too-large', `The body is over ${maxBytes} bytes, the limit.`);
    return result;
  }

  /** A peer that trickles bytes would otherwise keep its place for ever. */
  #giveUp(): void {
    this.#res.set('Connection', 'close');
    const detail = `The message took longer than ${this.#limits.maxSeconds} s, the limit. Send it again.`;
    this.#stop(new Problem('body-incomplete', detail));
  }

  #stop(failure: Error): void {
    if (this.#failure) return;
    this.#failure = failure;
    clearTimeout(this.#timer);
    this.#rejectPending(failure);
    // It resolves after the pending chunk; until then the request would not flow, so discardRest could not discard.
    void this.#chunks.return?.().then(() => this.#req.resume());
  }
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
