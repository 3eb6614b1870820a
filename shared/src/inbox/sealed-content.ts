import type { Readable } from 'node:stream';
import {
  type BlobStore,
  type ByteRange,
  createSealer,
  FIRST_FILE_AT,
  type FileSealer,
  HashingThread,
  type SealedContainer,
} from '../content/index.js';
import type { KeyRing } from '../keys/index.js';
import { openAnyway } from './may-open.js';
import { openContent } from './read-content.js';

// What is made of messages, and what is personal of a request for it, is sealed as a container of one file, like content of
// messages.

interface SealParts {
  readonly blobs: BlobStore;
  readonly keys: KeyRing;
}

/** The row that has the key. */
interface KeyRow {
  readonly id: string;
  readonly municipality: string;
}

export interface Sealed extends Omit<SealedContainer, 'size'> {
  /** Bytes of the content itself. */
  readonly size: number;
  /** In lower-case hexadecimal. */
  readonly sha256: string;
}

let hashingThread: HashingThread | undefined;

/**
 * Seals content as it comes.
 *
 * @param parts of the content store, only what begins a blob
 * @param smallBytes up to this size it is returned, for the database, and nothing is in the content store
 * @throws what the content or the store throws; then nothing is left
 */
export async function sealContent(
  { blobs, keys }: { readonly blobs: Pick<BlobStore, 'create'>; readonly keys: KeyRing },
  row: KeyRow,
  content: Iterable<Buffer> | AsyncIterable<Buffer>,
  smallBytes: number,
): Promise<Sealed> {
  hashingThread ??= new HashingThread();
  const sealer = createSealer({ blobs, keys, hashingThread, messageId: row.id, smallBytes });
  try {
    const file = sealer.openFile(0);
    await writeAll(file, content);
    const { size, sha256 } = await file.end();
    const { place, wrappedKey } = (await sealer.commit(row)) as SealedContainer;
    return { size, sha256, place, wrappedKey };
  } catch (error) {
    await sealer.abort();
    throw error;
  }
}

/**
 * Fills lent buffers, however small the pieces are: so the next ones are read while one is hashed on the thread and sealed, and a
 * large file does not keep the main thread from its calls.
 */
async function writeAll(file: FileSealer, content: Iterable<Buffer> | AsyncIterable<Buffer>): Promise<void> {
  let writing: Promise<void> | undefined;
  let lent = file.lend(0);
  let filled = 0;
  for await (const bytes of content) {
    for (let rest = bytes; rest.length > 0; ) {
      const taken = rest.copy(lent, filled);
      filled += taken;
      rest = rest.subarray(taken);
      if (filled < lent.length) continue;
      await writing;
      writing = file.write(lent);
      writing?.catch(() => {}); // awaited before the next, or by who gives up
      lent = file.lend(0);
      filled = 0;
    }
  }
  await writing;
  if (filled > 0) await file.write(lent.subarray(0, filled));
}

export interface SealedContent extends KeyRow {
  readonly keyId: string;
  readonly wrappedKey: Buffer;
  readonly blobName: string | null;
  readonly container: Buffer | null;
  readonly size: number;
}

/** The verified bytes of sealed content, or of a range of it. */
export async function openSealed(parts: SealParts, sealed: SealedContent, range?: ByteRange): Promise<Readable> {
  const reader = await openContent(parts, sealed);
  const file = { status: 'stored', containerIndex: 0, containerOffset: FIRST_FILE_AT, size: sealed.size } as const;
  return reader.open(openAnyway(file, 'made'), range);
}
