import { Readable } from 'node:stream';
import { Problem } from '../errors/index.js';
import type { BlobReader, ByteRange } from './blob-store.js';
import {
  ContainerCipher,
  damaged,
  HEADER_SIZE,
  lastSegmentOf,
  SEALED_SEGMENT_SIZE,
  SEGMENT_SIZE,
  sealedSizeOfFile,
} from './container.js';
import type { SealedFile } from './seal.js';

export interface SealedFileRequest {
  /** Opens part of the container; `undefined` when it is not where it should be. */
  readonly openContainer: (range: ByteRange) => Promise<BlobReader | undefined>;
  /** As unwrapped: 32 bytes. */
  readonly dataKey: Buffer;
  readonly messageId: string;
  readonly file: Pick<SealedFile, 'index' | 'offset' | 'size'>;
  /** Bytes of the file, within 0 and its size; default: all. */
  readonly range?: ByteRange;
}

/** Eight segments per read: with one, the round trip takes as long as the bytes; with four, a tenth more processor time. */
const BATCH_SIZE = 8 * SEALED_SEGMENT_SIZE;

/**
 * The bytes of a sealed file, or of a range of it, as a stream. No byte leaves before its segment is verified, so
 * everything before an error is genuine. Needs about 700 KiB, whatever the size of the file; opens nothing before the first
 * read, and closes everything with the stream.
 *
 * The stream is destroyed with a Problem `content-gone` when there is no such blob, `content-damaged` when the content is
 * not what was sealed as this file of this message; with the store's own error when it cannot be read.
 * @throws RangeError at once, when the range is not within the file.
 */
export function openSealedFile(request: SealedFileRequest): Readable {
  const range = request.range ?? { start: 0, end: request.file.size };
  assertWithin(range, request.file.size);
  return Readable.from(verifiedBytes(request, range), { objectMode: false, highWaterMark: SEGMENT_SIZE });
}

async function* verifiedBytes(request: SealedFileRequest, range: ByteRange): AsyncGenerator<Buffer> {
  const cipher = new ContainerCipher(request.dataKey, request.messageId);
  const lastSegment = lastSegmentOf(request.file.size);
  // An empty range still verifies its segment; so does an empty file.
  let segment = Math.min(Math.floor(range.start / SEGMENT_SIZE), lastSegment);
  for await (const sealed of sealedSegments(request, cipher, segment, Math.max(segment, lastSegmentOf(range.end)))) {
    const place = { file: request.file.index, segment, last: segment === lastSegment };
    const start = segment * SEGMENT_SIZE;
    const wanted = cipher
      .openSegment(sealed, place)
      .subarray(Math.max(0, range.start - start), Math.max(0, range.end - start));
    if (wanted.length > 0) yield wanted;
    segment += 1;
  }
}

/**
 * The segments `first` to `last` of the file, still sealed, in one read of the store. Each is valid until the next one is requested.
 * The header is verified where it comes before them, in the first file (docs/decisions/0050).
 */
async function* sealedSegments(
  request: SealedFileRequest,
  cipher: ContainerCipher,
  first: number,
  last: number,
): AsyncGenerator<Buffer> {
  const { offset, size } = request.file;
  const start = offset + first * SEALED_SEGMENT_SIZE;
  const end = offset + Math.min((last + 1) * SEALED_SEGMENT_SIZE, sealedSizeOfFile(size));
  const isAfterHeader = start === HEADER_SIZE;
  const reader = await openPart(request, { start: isAfterHeader ? 0 : start, end });
  try {
    if (isAfterHeader) cipher.verifyHeader(await readHeader(reader));
    const buffer = Buffer.allocUnsafe(Math.min(BATCH_SIZE, end - start));
    for (let at = start; at < end; at += buffer.length) {
      const batch = buffer.subarray(0, Math.min(buffer.length, end - at));
      await readWhole(reader, batch);
      for (let from = 0; from < batch.length; from += SEALED_SEGMENT_SIZE) {
        yield batch.subarray(from, from + SEALED_SEGMENT_SIZE);
      }
    }
  } finally {
    await reader.close();
  }
}

async function readHeader(reader: BlobReader): Promise<Buffer> {
  const header = Buffer.alloc(HEADER_SIZE);
  await readWhole(reader, header);
  return header;
}

async function openPart(request: SealedFileRequest, range: ByteRange): Promise<BlobReader> {
  const reader = await request.openContainer(range);
  if (reader === undefined) throw new Problem('content-gone', 'The container of the message is not in the store.');
  return reader;
}

async function readWhole(reader: BlobReader, into: Buffer): Promise<void> {
  if ((await reader.read(into)) < into.length) throw damaged('The container is shorter than it was.');
}

/** A container in memory, to be opened like one in the store. */
export function containerInMemory(container: Buffer): SealedFileRequest['openContainer'] {
  return async ({ start, end }) => {
    let rest = container.subarray(start, end);
    return {
      async read(into) {
        const filled = rest.copy(into);
        rest = rest.subarray(filled);
        return filled;
      },
      async close() {},
    };
  };
}

function assertWithin({ start, end }: ByteRange, size: number): void {
  const whole = Number.isSafeInteger(start) && Number.isSafeInteger(end);
  if (!whole || start < 0 || start > end || end > size) {
    throw new RangeError(`Bytes ${start} to ${end} are not within a file of ${size} bytes.`);
  }
}
