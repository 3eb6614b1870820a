import { spawnSync } from 'node:child_process';
import { crc32 } from 'node:zlib';

// APPNOTE.TXT 6.3.10, sections 4.3.7 (local header), 4.3.12 (central directory), 4.3.16 (its end), 4.4.4 (bit 11: UTF-8)
const END = { signature: 'PK\x05\x06', size: 22, entries: 10, directory: 16 };
const ENTRY = { signature: 0x02014b50, size: 46 };
const LOCAL = { size: 30, nameLength: 26, extraLength: 28 };
const STORED = 0;

/**
 * The files of a zip by name, each checked against its CRC. Supports only what the archiver writes, and without zip64: Node has
 * no zip reader, and unzip may not be installed.
 *
 * @throws Error when the zip is broken
 */
export function unzip(zip: Buffer): Map<string, Buffer> {
  const end = zip.lastIndexOf(END.signature);
  if (end < 0 || end + END.size > zip.length) throw new Error('The zip has no end of central directory.');
  const files = new Map<string, Buffer>();
  let at = zip.readUInt32LE(end + END.directory);
  for (let left = zip.readUInt16LE(end + END.entries); left > 0; left--) {
    if (zip.readUInt32LE(at) !== ENTRY.signature) throw new Error('The central directory of the zip is broken.');
    const nameEnd = at + ENTRY.size + zip.readUInt16LE(at + 28);
    const name = zip.toString('utf8', at + ENTRY.size, nameEnd);
    const isUtf8 = (zip.readUInt16LE(at + 8) & (1 << 11)) !== 0;
    if (!isUtf8 && !/^[ -~]*$/.test(name)) throw new Error(`The zip does not mark ${name} as UTF-8.`);
    files.set(name, readEntry(zip, at, name));
    at = nameEnd + zip.readUInt16LE(at + 30) + zip.readUInt16LE(at + 32);
  }
  return files;
}

function readEntry(zip: Buffer, at: number, name: string): Buffer {
  const method = zip.readUInt16LE(at + 10);
  if (method !== STORED) throw new Error(`${name} has an unknown compression method (${method}).`);
  const local = zip.readUInt32LE(at + 42);
  const start =
    local + LOCAL.size + zip.readUInt16LE(local + LOCAL.nameLength) + zip.readUInt16LE(local + LOCAL.extraLength);
  const size = zip.readUInt32LE(at + 24);
  const content = zip.subarray(start, start + size);
  const isWhole = content.length === size && crc32(content) === zip.readUInt32LE(at + 16);
  if (!isWhole) throw new Error(`${name} is damaged in the zip.`);
  return content;
}

/** The verdict of Info-ZIP’s unzip: `whole` or `damaged`, or undefined when it is not installed. */
export function testWithUnzip(file: string): 'whole' | 'damaged' | undefined {
  const { status, error } = spawnSync('unzip', ['-tqq', file], { stdio: 'ignore' });
  if (error) return undefined;
  return status === 0 ? 'whole' : 'damaged';
}
