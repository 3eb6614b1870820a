/**
 * The records of a zip, as PKWARE’s APPNOTE.TXT 6.3.10 has them. Every entry is stored, with size and CRC-32 in front of it.
 * Otherwise a reader that takes the zip as it comes could not know where an entry ends (java.util.zip, SharpZipLib and
 * commons-compress refuse that), nor would the length of the whole zip be known.
 */

/** What a zip says of one file. */
export interface ZipEntry {
  /** A path with `/`. */
  readonly name: string;
  /** Bytes. */
  readonly size: number;
  /** Unsigned. */
  readonly crc32: number;
  readonly modifiedAt: Date;
}

const LOCAL_HEADER = 0x04034b50;
const DIRECTORY_HEADER = 0x02014b50;
const END = 0x06054b50;
const ZIP64_END = 0x06064b50;
const ZIP64_LOCATOR = 0x07064b50;

// 4.4.1.4: a field of this value stands for one of 8 bytes in a record or field of zip64.
const IN_ZIP64_16 = 0xffff;
const IN_ZIP64_32 = 0xffffffff;

const VERSION = 20; // 4.4.3.2: for folders
const VERSION_ZIP64 = 45;
const MADE_BY = (3 << 8) | 63; // 4.4.2: Unix, whose readers then take the mode below; version 6.3 of the format
const UTF8 = 1 << 11; // 4.4.4
const STORED = 0; // 4.4.5
const MODE = 0o100644 * 2 ** 16; // 4.4.15; a file that its owner may write

/**
 * The headers of a file: the local one, which its bytes follow (4.3.7), and that in the central directory (4.3.12).
 *
 * @param offset where the local header begins
 */
export function headersOf(entry: ZipEntry, offset: number): { local: Buffer; directory: Buffer } {
  const { size, crc32, modifiedAt } = entry;
  const { date, time } = danishClock(modifiedAt);
  const name = Buffer.from(entry.name);
  const utc = utcField(modifiedAt);
  const sizes = size >= IN_ZIP64_32 ? [size, size] : []; // 4.5.3: both, that in the zip too
  const [zip64, zip64OfDirectory] = [zip64Field(sizes), zip64Field(offset >= IN_ZIP64_32 ? [...sizes, offset] : sizes)];
  const common = (zip64: Buffer): Field[] => [
    [2, zip64.length > 0 ? VERSION_ZIP64 : VERSION],
    [2, UTF8],
    [2, STORED],
    [2, time],
    [2, date],
    [4, crc32],
    [4, Math.min(size, IN_ZIP64_32)], // in the zip
    [4, Math.min(size, IN_ZIP64_32)],
    [2, name.length],
    [2, utc.length + zip64.length],
  ];
  const local = numbers([4, LOCAL_HEADER], ...common(zip64));
  const directory = numbers(
    [4, DIRECTORY_HEADER],
    [2, MADE_BY],
    ...common(zip64OfDirectory),
    [2, 0], // length of a comment
    [2, 0], // disk
    [2, 0], // internal attributes
    [4, MODE],
    [4, Math.min(offset, IN_ZIP64_32)],
  );
  return {
    local: Buffer.concat([local, name, utc, zip64]),
    directory: Buffer.concat([directory, name, utc, zip64OfDirectory]),
  };
}

/** The end of a zip whose directory has this many entries and bytes and begins at `offset`. 4.3.14 to 4.3.16 */
export function endRecords(entries: number, size: number, offset: number): Buffer {
  const isZip64 = entries >= IN_ZIP64_16 || size >= IN_ZIP64_32 || offset >= IN_ZIP64_32;
  const end = numbers(
    [4, END],
    [2, 0], // this disk
    [2, 0], // disk of the directory
    [2, Math.min(entries, IN_ZIP64_16)], // on this disk
    [2, Math.min(entries, IN_ZIP64_16)],
    [4, Math.min(size, IN_ZIP64_32)],
    [4, Math.min(offset, IN_ZIP64_32)],
    [2, 0], // length of a comment
  );
  if (!isZip64) return end;
  const zip64End = numbers(
    [4, ZIP64_END],
    [8, 44], // length of what follows
    [2, MADE_BY],
    [2, VERSION_ZIP64],
    [4, 0], // this disk
    [4, 0], // disk of the directory
    [8, entries], // on this disk
    [8, entries],
    [8, size],
    [8, offset],
  );
  const locator = numbers([4, ZIP64_LOCATOR], [4, 0], [8, offset + size], [4, 1]); // disk, place, number of disks
  return Buffer.concat([zip64End, locator, end]);
}

type Field = readonly [bytes: 1 | 2 | 4 | 8, value: number];

/** 4.5.3 */
function zip64Field(values: readonly number[]): Buffer {
  if (values.length === 0) return Buffer.alloc(0);
  return numbers([2, 0x0001], [2, 8 * values.length], ...values.map((value): Field => [8, value]));
}

const MAX_UNIX_TIME = 0x7fffffff; // in the year 2038; readers take it as signed

/** The time in UTC, for readers that know this field. Info-ZIP’s proginfo/extrafld.txt, extended timestamp */
function utcField(at: Date): Buffer {
  const seconds = Math.floor(at.getTime() / 1_000);
  if (seconds < 0 || seconds > MAX_UNIX_TIME) return Buffer.alloc(0);
  return numbers([2, 0x5455], [2, 5], [1, 1], [4, seconds]); // 1: only the time of modification
}

const clock = new Intl.DateTimeFormat('en-GB', {
  timeZone: 'Europe/Copenhagen',
  hourCycle: 'h23',
  year: 'numeric',
  month: 'numeric',
  day: 'numeric',
  hour: 'numeric',
  minute: 'numeric',
  second: 'numeric',
});
// The first and the last time that MS-DOS knows: on the Danish clock 1 January 1980 and 31 December 2107.
const [FIRST, LAST] = [Date.UTC(1979, 11, 31, 23), Date.UTC(2107, 11, 31, 22, 59, 58)];

/** The time as a clock in Denmark shows it, to two seconds, in the fields of MS-DOS. 4.4.6 */
function danishClock(at: Date): { date: number; time: number } {
  const shown = clock.format(Math.min(Math.max(at.getTime(), FIRST), LAST)); // 02/11/2026, 12:00:00
  const [day = 0, month = 0, year = 0, hour = 0, minute = 0, second = 0] = (shown.match(/\d+/g) ?? []).map(Number);
  return { date: ((year - 1980) << 9) | (month << 5) | day, time: (hour << 11) | (minute << 5) | (second >> 1) };
}

/** Numbers back to back, little-endian. 4.4.1.1 */
function numbers(...fields: readonly Field[]): Buffer {
  const buffer = Buffer.alloc(fields.reduce((sum, [bytes]) => sum + bytes, 0));
  let at = 0;
  for (const [bytes, value] of fields) {
    if (bytes === 8) buffer.writeBigUInt64LE(BigInt(value), at);
    else buffer.writeUIntLE(value, at, bytes);
    at += bytes;
  }
  return buffer;
}
