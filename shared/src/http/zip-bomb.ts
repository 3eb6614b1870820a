import { inflateRawSync } from 'node:zlib';

// .ZIP File Format Specification 6.3: 4.3.16 end of central directory, 4.3.12 central directory, 4.3.7 local file header.
const END = Buffer.from('PK\x05\x06', 'latin1');
const ENTRY = 0x02014b50;
const DEFLATED = 8;

/**
 * Whether what is packed in a zip takes more than so many bytes, by unpacking it no further than that: what the zip itself says of
 * its sizes may be wrong.
 *
 * @throws Error when it is no zip, or is damaged
 */
export function isLargerUnpacked(zip: Buffer, most: number): boolean {
  const end = zip.lastIndexOf(END);
  if (end < 0) throw new Error('It is no zip.');
  let left = most;
  let at = zip.readUInt32LE(end + 16);
  for (let entry = zip.readUInt16LE(end + 10); entry > 0; entry--) {
    if (zip.readUInt32LE(at) !== ENTRY) throw new Error('The zip is damaged.');
    const [size, header] = [zip.readUInt32LE(at + 20), zip.readUInt32LE(at + 42)];
    const begin = header + 30 + zip.readUInt16LE(header + 26) + zip.readUInt16LE(header + 28);
    const packed = zip.subarray(begin, begin + size);
    const unpacked = zip.readUInt16LE(at + 10) === DEFLATED ? unpackedSize(packed, left) : size;
    if (unpacked > left) return true;
    left -= unpacked;
    at += 46 + zip.readUInt16LE(at + 28) + zip.readUInt16LE(at + 30) + zip.readUInt16LE(at + 32);
  }
  return false;
}

/** Infinity for more than `most`. */
function unpackedSize(packed: Buffer, most: number): number {
  try {
    return inflateRawSync(packed, { maxOutputLength: Math.max(most, 1) }).length;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ERR_BUFFER_TOO_LARGE') return Number.POSITIVE_INFINITY;
    throw error;
  }
}
