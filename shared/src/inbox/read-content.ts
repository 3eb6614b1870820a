import type { Readable } from 'node:stream';
import { type BlobStore, type ByteRange, dataKeyContext, type KeyRing, openSealedFile } from '../content/index.js';
import { Problem } from '../errors/index.js';
import type { WholeMessage } from './find-message.js';

type StoredFile = WholeMessage['documents'][number]['files'][number];

/** Opens the files of one message. The key is unwrapped once, however many files are read. */
export interface ContentReader {
  /** The verified bytes of a file, or of a range of it (`end` not included). The stream fails with a Problem. */
  open(file: StoredFile, range?: ByteRange): Readable;
}

/** @throws Problem content-gone when the content has been removed */
export async function openContent(
  { blobs, keys }: { blobs: BlobStore; keys: KeyRing },
  message: WholeMessage,
): Promise<ContentReader> {
  const { id: messageId, blobName, key, municipality } = message;
  if (blobName === null || key === null) {
    throw new Problem('content-gone', 'The content of the message has been removed.');
  }
  const wrapped = { keyId: key.keyId, wrapped: Buffer.from(key.wrappedKey) };
  const dataKey = await keys.unwrap(wrapped, dataKeyContext(messageId, municipality));
  return {
    open({ status, containerIndex: index, containerOffset: offset, size }, range) {
      if (index === null || offset === null)
        throw new Problem('content-gone', `The file is ${status}; it has no content.`);
      const file = { index, offset: Number(offset), size: Number(size) };
      return openSealedFile({ blobs, blobName, dataKey, messageId, file, ...(range && { range }) });
    },
  };
}
