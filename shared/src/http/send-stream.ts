import { once } from 'node:events';
import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { Response } from 'express';

/**
 * Streams into the answer. A caller that disconnects is not an error; the source is closed. Rejects when the source fails:
 * the connection must then be cut, so that the answer is not mistaken for complete.
 */
export async function sendStream(source: Readable, res: Response): Promise<void> {
  try {
    await pipeline(source, res);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ERR_STREAM_PREMATURE_CLOSE') throw error;
  }
}

/**
 * Resolves when a source has its first bytes, or ends; rejects with its error. Until then the answer can still be a problem
 * instead.
 */
export async function firstBytesOf(source: Readable): Promise<void> {
  await once(source, 'readable');
}
