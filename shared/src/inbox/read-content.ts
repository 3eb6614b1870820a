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
import type { Store } from '../store/index.js';
import type { WholeMessage } from './find-message.js';

type StoredFile = WholeMessage['documents'][number]['files'][number];

interface ContentParts {
  readonly store: Store;
  readonly blobs: BlobStore;
  readonly keys: KeyRing;
}

/** Opens the files of one message, whose key is unwrapped once. */
export interface ContentReader {
  /** The verified bytes of a file, or of a range of it (`end` not included). The stream fails with a Problem. */
  open(file: StoredFile, range?: ByteRange): Readable;
}

/** @throws Problem content-gone when the content has been removed */
export async function openContent(parts: ContentParts, message: WholeMessage): Promise<ContentReader> {
  const { id: messageId, key, municipality } = message;
  if (key === null) throw gone();
  const openContainer = await findContainer(parts, message);
  const wrapped = { keyId: key.keyId, wrapped: Buffer.from(key.wrappedKey) };
  const dataKey = await parts.keys.unwrap(wrapped, dataKeyContext(messageId, municipality));
  return {
    open({ status, containerIndex: index, containerOffset: offset, size }, range) {
      if (index === null || offset === null)
        throw new Problem('content-gone', `The file has no content: it is ${status}.`);
      const file = { index, offset: Number(offset), size: Number(size) };
      return openSealedFile({ openContainer, dataKey, messageId, file, ...(range && { range }) });
    },
  };
}

/** In the blob store, or in the database when it is small. */
async function findContainer(
  { store, blobs }: ContentParts,
  { id: messageId, municipality, blobName }: WholeMessage,
): Promise<SealedFileRequest['openContainer']> {
  if (blobName !== null) return (range) => blobs.open(blobName, range);
  const small = await store.withTenant(municipality, (tx) => tx.messageContent.findUnique({ where: { messageId } }));
  if (small === null) throw gone();
  return containerInMemory(Buffer.from(small.container));
}

function gone(): Problem {
  return new Problem('content-gone', 'The content of the message has been removed.');
}
