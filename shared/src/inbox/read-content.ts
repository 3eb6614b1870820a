import type { Readable } from 'node:stream';
import {
  type BlobStore,
  type ByteRange,
  containerInMemory,
  openSealedFile,
  type SealedFileRequest,
} from '../content/index.js';
import { Problem } from '../errors/index.js';
import { dataKeyContext, type KeyRing } from '../keys/index.js';
import type { Openable } from './may-open.js';
import type { SealedRow, StoredFile } from './message-columns.js';

interface ContentParts {
  readonly blobs: BlobStore;
  readonly keys: KeyRing;
}

/** Where a file is in the container. */
export type FilePlace = Pick<StoredFile, 'status' | 'containerIndex' | 'containerOffset' | 'size'>;

/** Opens the files of one message, whose key is unwrapped once. */
export interface ContentReader {
  /** The verified bytes of a file, or of a range of it (`end` not included). The stream fails with a Problem. */
  open(file: Openable<FilePlace>, range?: ByteRange): Readable;
}

/** @throws Problem content-gone when the content has been removed */
export async function openContent({ blobs, keys }: ContentParts, message: SealedRow): Promise<ContentReader> {
  const { id: messageId, municipality, keyId, wrappedKey } = message;
  if (keyId === null || wrappedKey === null) throw gone();
  const openContainer = findContainer(blobs, message);
  const dataKey = await keys.unwrap({ keyId, wrapped: wrappedKey }, dataKeyContext(messageId, municipality));
  return {
    open({ status, containerIndex: index, containerOffset: offset, size }, range) {
      if (index === null || offset === null)
        throw new Problem('content-gone', `The file has no content: it is ${status}.`);
      const file = { index, offset, size };
      return openSealedFile({ openContainer, dataKey, messageId, file, ...(range && { range }) });
    },
  };
}

/** In the blob store, or in the database when it is small. */
function findContainer(blobs: BlobStore, { blobName, container }: SealedRow): SealedFileRequest['openContainer'] {
  if (blobName !== null) return (range) => blobs.open(blobName, range);
  if (container === null) throw gone();
  return containerInMemory(container);
}

function gone(): Problem {
  return new Problem('content-gone', 'The content of the message has been removed.');
}

/** Of a journalized message whose content retention has removed. @param consequence a sentence */
export function contentRemoved(consequence: string): Problem {
  const why = 'The content of this journalized message was removed after the time that the municipality has set.';
  return new Problem('content-gone', `${why} ${consequence}`);
}

/** @throws Problem content-gone when retention has removed the content of the message */
export function requireContent({ contentRemovedAt }: { readonly contentRemovedAt: Date | null }): void {
  if (contentRemovedAt) throw contentRemoved('The case that it is on has it.');
}
