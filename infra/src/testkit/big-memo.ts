import { createCipheriv, createHash } from 'node:crypto';
import { type MemoSpec, writeMemo } from './write-memo.js';

/** 99.5 MB, the most that Digital Post carries. Whether MB or MiB is not known; MiB is the larger. */
export const BIG_MEMO_BYTES = 99.5 * 1024 * 1024;

const SLICE = 48 * 1024; // a multiple of 3, so that each slice is whole base64
const PLACE = Buffer.from('her kommer indholdet');

export interface BigMemo {
  /** Of its one file. */
  readonly contentSize: number;
  /** The XML as a stream, a slice at a time. */
  pieces(): AsyncGenerator<Buffer>;
}

/**
 * A letter whose XML is exactly BIG_MEMO_BYTES long. It is never in memory: the small letter around the content is
 * written as any other, and the content is made as it flows.
 */
export function bigMemo(letter: MemoSpec, file: { readonly name: string; readonly type: string }): BigMemo {
  const xml = writeMemo({ ...letter, documents: [{ files: [{ ...file, content: PLACE }] }] });
  const place = PLACE.toString('base64');
  const at = xml.indexOf(place);
  const [before, after] = [xml.subarray(0, at), xml.subarray(at + place.length)];
  const room = BIG_MEMO_BYTES - before.length - after.length;
  const contentSize = Math.floor(room / 4) * 3;
  return {
    contentSize,
    async *pieces() {
      yield before;
      for (const slice of contentOf(0, contentSize)) yield Buffer.from(slice.toString('base64'), 'latin1');
      yield after;
      yield Buffer.alloc(room % 4, '\n'); // base64 comes in fours; white space may follow the message
    },
  };
}

const KEY = Buffer.alloc(32, 'demo');
const BLOCK = 16;

/**
 * The content from one position to another (not included), in slices: the key stream of a cipher in counter mode, because
 * it is fast, does not compress, and any part of it can be made again for a comparison.
 */
export function* contentOf(start: number, end: number): Generator<Buffer> {
  const counter = Buffer.alloc(BLOCK);
  counter.writeUInt32BE(Math.floor(start / BLOCK), BLOCK - 4);
  const stream = createCipheriv('aes-256-ctr', KEY, counter);
  stream.update(Buffer.alloc(start % BLOCK));
  const zeros = Buffer.alloc(SLICE);
  for (let at = start; at < end; at += SLICE) yield stream.update(zeros.subarray(0, Math.min(SLICE, end - at)));
}

/** Of anything that comes in pieces, without holding it. */
export async function sha256Of(pieces: Iterable<Uint8Array> | AsyncIterable<Uint8Array>): Promise<string> {
  const hash = createHash('sha256');
  for await (const piece of pieces) hash.update(piece);
  return hash.digest('hex');
}
