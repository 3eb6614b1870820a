/**
 * Sealed content: the files of a message, encrypted as they stream in, verified as they stream out.
 *
 * See container.ts (the format), seal.ts (writing), open.ts (reading) and blob-store.ts (storage). Crash points are
 * announced: see ../crash-points.
 */

import { fileURLToPath } from 'node:url';
import { openFileBlobStore } from './file-blob-store.js';
import type { Markable } from './marked.js';

export type { BlobEntry, BlobReader, BlobStore, BlobWriter, ByteRange } from './blob-store.js';
export { HEADER_SIZE as FIRST_FILE_AT } from './container.js';
export { openFileBlobStore } from './file-blob-store.js';
export { makeFolders } from './folders.js';
export { HashingThread } from './hashing-thread.js';
export { onlyMarked } from './marked.js';
export { containerInMemory, openSealedFile, type SealedFileRequest } from './open.js';
export { createSealer, type FileSealer, type SealedContainer, type SealedFile, type Sealer } from './seal.js';

/**
 * Opens the blob store that a URL names: `file:///folder`.
 * @throws Error with a sentence for the operator when the URL is of another kind. It does not quote the URL, which may
 *   contain credentials.
 */
export async function openBlobStore(url: string): Promise<Markable> {
  const scheme = URL.canParse(url) ? new URL(url).protocol : undefined;
  if (scheme === 'file:') return openFileBlobStore(fileURLToPath(url));
  const given = scheme === undefined ? 'not a URL' : `a ${scheme} URL`;
  throw new Error(`The blob store must be file:///folder; this is ${given}.`);
}
