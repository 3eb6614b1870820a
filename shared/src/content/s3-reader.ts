import type { Readable } from 'node:stream';
import { GetObjectCommand, HeadObjectCommand, type S3Client } from '@aws-sdk/client-s3';
import { Problem } from '../errors/index.js';
import type { BlobReader, ByteRange } from './blob-store.js';
import { isAnother, isBeyondEnd, isNoSuchKey } from './s3-faults.js';
import type { S3Object } from './s3-object.js';

// Without a byte in between, so that a long download may be interrupted often.
const MOST_RESUMED = 3;

/** S3 sends what it has begun to send to its end, removed or not, so a reader that takes longer asks whether it is still there. */
const ASK_EVERY_MS = 5_000;

const NOTHING = Buffer.alloc(0);

/** Opens a range of an object: one GET. Undefined when there is no such object. */
export async function openS3Reader(
  client: S3Client,
  object: S3Object,
  { start, end }: ByteRange,
): Promise<BlobReader | undefined> {
  try {
    const answer = await get(client, object, start, end);
    return new S3BlobReader(client, object, answer);
  } catch (error) {
    if (isNoSuchKey(error)) return undefined;
    if (isBeyondEnd(error)) return EMPTY;
    throw error;
  }
}

const EMPTY: BlobReader = {
  read: async () => 0,
  close: async () => {},
};

/** The part of an object that S3 is sending. */
interface Answer {
  readonly body: Readable;
  /** Of the first byte, and after the last one that is sent. */
  readonly start: number;
  readonly end: number;
  readonly etag: string;
}

class S3BlobReader implements BlobReader {
  readonly #client: S3Client;
  readonly #object: S3Object;
  readonly #end: number;
  readonly #etag: string;
  #body: Readable;
  #pieces: AsyncIterator<Buffer>;
  #piece: Buffer = NOTHING;
  #position: number;
  #resumed = 0;
  #askedAt = performance.now();

  constructor(client: S3Client, object: S3Object, { body, start, end, etag }: Answer) {
    this.#client = client;
    this.#object = object;
    this.#position = start;
    this.#end = end;
    this.#etag = etag;
    this.#body = body;
    this.#pieces = body[Symbol.asyncIterator]();
  }

  async read(into: Buffer): Promise<number> {
    if (performance.now() - this.#askedAt > ASK_EVERY_MS) await this.#requireThere();
    let filled = 0;
    while (filled < into.length && this.#position < this.#end) {
      if (this.#piece.length === 0) this.#piece = await this.#nextPiece();
      const copied = this.#piece.copy(into, filled);
      this.#piece = this.#piece.subarray(copied);
      this.#position += copied;
      filled += copied;
    }
    return filled;
  }

  async close(): Promise<void> {
    this.#body.on('error', () => {});
    // A body that was read to its end leaves its connection to the next request.
    if (this.#position < this.#end) this.#body.destroy();
    else this.#body.resume();
  }

  /** More than nothing. */
  async #nextPiece(): Promise<Buffer> {
    for (;;) {
      try {
        const { value, done } = await this.#pieces.next();
        if (done) throw new Error('S3 sent less than it said.');
        if (value.length > this.#end - this.#position) throw new Error('S3 sent more than it said.');
        this.#resumed = 0;
        if (value.length > 0) return value;
      } catch (error) {
        this.#resumed += 1;
        if (this.#resumed > MOST_RESUMED) throw error;
        await this.#resume();
      }
    }
  }

  /** Goes on where a connection was cut, in the same object. */
  async #resume(): Promise<void> {
    this.#body.on('error', () => {});
    this.#body.destroy();
    const { body } = await get(this.#client, this.#object, this.#position, this.#end, this.#etag).catch(whenGone);
    this.#body = body;
    this.#pieces = body[Symbol.asyncIterator]();
  }

  async #requireThere(): Promise<void> {
    await this.#client.send(new HeadObjectCommand({ ...this.#object, IfMatch: this.#etag })).catch(whenGone);
    this.#askedAt = performance.now();
  }
}

/** @throws Error when what S3 sends is not the range that was asked for */
async function get(client: S3Client, object: S3Object, start: number, end: number, etag?: string): Promise<Answer> {
  const Range = `bytes=${start}-${end >= Number.MAX_SAFE_INTEGER ? '' : end - 1}`;
  const answer = await client.send(new GetObjectCommand({ ...object, Range, ...(etag && { IfMatch: etag }) }));
  const body = answer.Body as unknown as Readable;
  const [, from, last, whole] = /^bytes (\d+)-(\d+)\/(\d+)$/.exec(answer.ContentRange ?? '')?.map(Number) ?? [];
  const isWhole = answer.ContentRange === undefined && start === 0; // a server may answer so where the range is everything
  const sent = isWhole ? (answer.ContentLength ?? -1) : (last ?? -1) + 1 - start;
  const isRange = isWhole || (from === start && last === Math.min(end, whole ?? 0) - 1);
  if (!isRange || sent < 0 || start + sent > end || answer.ContentLength !== sent || (etag && answer.ETag !== etag)) {
    body.destroy();
    throw new Error('S3 sent another range than the one that was asked for.');
  }
  return { body, start, end: start + sent, etag: answer.ETag ?? '' };
}

function whenGone(error: unknown): never {
  if (isNoSuchKey(error) || isAnother(error))
    throw new Problem('content-gone', 'The content was removed while it was being read.');
  throw error;
}
