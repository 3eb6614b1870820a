import { once } from 'node:events';
import type { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { pipeline } from 'node:stream/promises';
import type { Response } from 'express';
import { KiB } from '../config/index.js';

/**
 * Streams into the answer. A caller that disconnects is not an error; the source is closed. Rejects when the source fails:
 * the connection must then be cut, so that the answer is not mistaken for complete.
 */
export async function sendStream(source: Readable | Buffer, res: Response): Promise<void> {
  if (Buffer.isBuffer(source)) return void res.end(source);
  try {
    await pipeline(source, res);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ERR_STREAM_PREMATURE_CLOSE') throw error;
  }
}

const SMALL_BYTES = 64 * KiB;

/**
 * Reads so much of a source that the answer may begin; until then it can still be a problem instead. Small content is read
 * whole, which takes less time than to stream it.
 *
 * @param size of the source, in bytes
 */
export async function readAhead(source: Readable, size: number): Promise<Readable | Buffer> {
  if (size <= SMALL_BYTES) return buffer(source);
  await once(source, 'readable');
  return source;
}
