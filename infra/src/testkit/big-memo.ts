import { createCipheriv, createHash } from 'node:crypto';
import { type MemoSpec, writeMemo } from './write-memo.js';

/** Digital Post’s limit, 99.5 MB; MB or MiB is unknown, and MiB is larger. */
export const BIG_MEMO_BYTES = 99.5 * 1024 * 1024;

const SLICE = 48 * 1024; // a multiple of 3, so that each slice is whole base64
const PLACEHOLDER = Buffer.from('her kommer indholdet');

export interface BigMemo {
  /** Bytes of its only file. */
  readonly contentSize: number;
  /** The XML in pieces. */
  pieces(): AsyncGenerator<Buffer>;
}

/**
 * A MeMo of exactly BIG_MEMO_BYTES, never in memory as a whole: the XML around the content is written as usual, the content
 * is generated in pieces.
 */
export function bigMemo(memo: MemoSpec, file: { readonly name: string; readonly type: string }): BigMemo {
  const xml = writeMemo({ ...memo, documents: [{ files: [{ ...file, content: PLACEHOLDER }] }] });
  const placeholder = PLACEHOLDER.toString('base64');
  const at = xml.indexOf(placeholder);
  const [before, after] = [xml.subarray(0, at), xml.subarray(at + placeholder.length)];
  const room = BIG_MEMO_BYTES - before.length - after.length;
  const contentSize = Math.floor(room / 4) * 3;
  return {
    contentSize,
    async *pieces() {
      yield before;
      for (const slice of contentOf(0, contentSize)) yield Buffer.from(slice.toString('base64'), 'latin1');
      yield after;
      yield Buffer.alloc(room % 4, '\n'); // base64 has a multiple of 4 characters; white space may follow the root element
    },
  };
}

const KEY = Buffer.alloc(32, 'demo');
const BLOCK = 16;

/**
 * The content from `start` to `end` (exclusive), in slices: the key stream of a cipher in counter mode, because it is fast,
 * does not compress, and any part can be generated again for a comparison.
 */
export function* contentOf(start: number, end: number): Generator<Buffer> {
  const counter = Buffer.alloc(BLOCK);
  counter.writeUInt32BE(Math.floor(start / BLOCK), BLOCK - 4);
  const stream = createCipheriv('aes-256-ctr', KEY, counter);
  stream.update(Buffer.alloc(start % BLOCK));
  const zeros = Buffer.alloc(SLICE);
  for (let at = start; at < end; at += SLICE) yield stream.update(zeros.subarray(0, Math.min(SLICE, end - at)));
}

export async function sha256Of(pieces: Iterable<Uint8Array> | AsyncIterable<Uint8Array>): Promise<string> {
  const hash = createHash('sha256');
  for await (const piece of pieces) hash.update(piece);
  return hash.digest('hex');
}
