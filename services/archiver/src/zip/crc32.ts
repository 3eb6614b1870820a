import { buffer } from 'node:stream/consumers';
import { crc32 } from 'node:zlib';
import { ZipArchive } from 'archiver';
import crc from 'crc-32';

/** The part of crc-32 that archiver calls: the sum of the bytes, going on from the sum of those before. */
export interface Sums {
  buf(bytes: Uint8Array, before: number): number;
}

/**
 * archiver makes its sums with crc-32, which is JavaScript: a fifth of the time of a zip of PDFs. Node’s own takes less than
 * half of that; of nothing it may give 0 (zlib does, of a null pointer). Both begin with 0 and go on from what they gave
 * before; archiver’s 0 is a buffer of zeros.
 *
 * @throws Error when archiver does not call `sums`, as a small zip shows
 */
export async function useNodesCrc32(sums: Sums): Promise<void> {
  let isCalled = false;
  sums.buf = (bytes, before) => {
    isCalled = true;
    return bytes.length === 0 ? before >>> 0 : crc32(bytes, before >>> 0);
  };
  const zip = new ZipArchive().append('x', { name: 'x' });
  await Promise.all([zip.finalize(), buffer(zip)]);
  if (!isCalled) throw new Error('archiver does not make its sums with crc-32 any more: correct zip/crc32.ts.');
}

await useNodesCrc32(crc as Sums);
