import { buffer } from 'node:stream/consumers';
import { crc32 } from 'node:zlib';
import { ZipArchive } from 'archiver';
import crc from 'crc-32';

/** The part of crc-32 that archiver calls: the checksum of `bytes`, continuing from that of the bytes before. */
export interface Crc32 {
  buf(bytes: Uint8Array, before: number): number;
}

/**
 * Replaces archiver’s crc-32, which is JavaScript and takes a fifth of the time of a zip of PDFs, by Node’s, which takes less
 * than half of that. Both start at 0 (archiver’s 0 is a buffer of zeros) and continue from their last result, except that
 * zlib gives 0 for no bytes.
 *
 * @throws Error when archiver does not call `target`, which a small zip shows
 */
export async function useNodesCrc32(target: Crc32): Promise<void> {
  let isCalled = false;
  target.buf = (bytes, before) => {
    isCalled = true;
    return bytes.length === 0 ? before >>> 0 : crc32(bytes, before >>> 0);
  };
  const zip = new ZipArchive().append('x', { name: 'x' });
  await Promise.all([zip.finalize(), buffer(zip)]);
  if (!isCalled) throw new Error('archiver no longer uses crc-32: correct zip/crc32.ts.');
}

await useNodesCrc32(crc as Crc32);
