import { once } from 'node:events';
import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { Response } from 'express';

/**
 * Streams into the answer. A caller who goes away is no error; the source is closed. A source that fails rejects, and the
 * answer must then be broken off, so that nobody takes it for whole.
 */
export async function sendStream(source: Readable, res: Response): Promise<void> {
  try {
    await pipeline(source, res);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ERR_STREAM_PREMATURE_CLOSE') throw error;
  }
}

/**
 * Resolves when the first bytes of a source are there, or its end; rejects with what it fails with. Until then the answer
 * can still be a problem instead.
 */
export async function firstBytesOf(source: Readable): Promise<void> {
  await once(source, 'readable');
}
