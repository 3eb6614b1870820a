/**
 * Sealed content: the files of a message, encrypted as they stream in, verified as they stream out.
 *
 * See container.ts (the format), seal.ts (writing), open.ts (reading) and blob-store.ts (storage). Crash points are
 * announced: see ../crash-points.
 */

import { fileURLToPath } from 'node:url';
import type { S3Settings } from '../config/index.js';
import type { BlobStore } from './blob-store.js';
import { openFileBlobStore } from './file-blob-store.js';
import type { ContentPlace } from './place.js';
import { inTwoPlaces } from './two-places.js';

export type { BlobEntry, BlobReader, BlobStore, BlobWriter, ByteRange } from './blob-store.js';
export { HEADER_SIZE as FIRST_FILE_AT } from './container.js';
export { openFileBlobStore } from './file-blob-store.js';
export { makeFolders } from './folders.js';
export { HashingThread } from './hashing-thread.js';
export { type Markable, onlyMarked } from './marked.js';
export { containerInMemory, openSealedFile, type SealedFileRequest } from './open.js';
export type { ContentPlace } from './place.js';
export { createSealer, type FileSealer, type SealedContainer, type SealedFile, type Sealer } from './seal.js';
export { inTwoPlaces };

/**
 * Opens the blob store that a URL names: `file:///folder` or `s3://bucket/prefix`.
 * @throws Error with a sentence for the operator when the URL is of another kind, or its place cannot be used. It does not quote the
 *   URL, which may contain credentials.
 */
export async function openBlobStore(url: string, s3: S3Settings = {}): Promise<ContentPlace> {
  const scheme = URL.canParse(url) ? new URL(url).protocol : undefined;
  if (scheme === 'file:') return openFileBlobStore(fileURLToPath(url));
  if (scheme === 's3:') {
    const { openS3BlobStore } = await import('./s3-blob-store.js'); // with the SDK of AWS, which others need not load
    return openS3BlobStore(url, s3);
  }
  const given = scheme === undefined ? 'not a URL' : `a ${scheme} URL`;
  throw new Error(`The blob store must be file:///folder or s3://bucket/prefix; this is ${given}.`);
}

/** Where content is, and what S3 wants to know. */
export interface ContentConfig extends S3Settings {
  readonly BLOB_URL: string;
  readonly BLOB_URL_OTHER?: string | undefined;
}

/** The URL of a folder beside the content. */
export const besideContent = (url: string, suffix: string): string => `${url.replace(/\/+$/, '')}${suffix}`;

/** Opens a folder beside the content, in both places while that is moved. */
export async function openBesideContent(config: ContentConfig, suffix: string): Promise<BlobStore> {
  const { BLOB_URL, BLOB_URL_OTHER } = config;
  const place = await openBlobStore(besideContent(BLOB_URL, suffix), config);
  if (BLOB_URL_OTHER === undefined) return place;
  return inTwoPlaces(place, await openBlobStore(besideContent(BLOB_URL_OTHER, suffix), config));
}
