import { mkdtemp, open, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { writeZip, Zip, type ZipFile } from '../../../shared/src/zip/index.js';
import { endRecords, headersOf } from '../../../shared/src/zip/zip-format.js';
import { ZIP_READERS } from './support/zip-readers.js';

// @module-tag long

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'indbakke-zip-format-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const NOON = new Date('2026-11-02T11:00:00Z');

const entry = (name: string, size = 0, modifiedAt = NOON): ZipFile => ({
  name,
  size,
  crc32: 0,
  sha256: Buffer.alloc(32),
  modifiedAt,
  open: ({ start, end }) => [Buffer.alloc(end - start)],
});

describe('the time of an entry', () => {
  /** The fields of MS-DOS, and the UTC field if there is one. APPNOTE.TXT 6.3.10, 4.3.7 and 4.4.6 */
  function timesOf(modifiedAt: string) {
    const header = headersOf(entry('x', 0, new Date(modifiedAt)), 0).local;
    const [time, date] = [header.readUInt16LE(10), header.readUInt16LE(12)];
    const two = (value: number) => String(value).padStart(2, '0');
    const dos = `${1980 + (date >> 9)}-${two((date >> 5) & 15)}-${two(date & 31)} ${two(time >> 11)}:${two((time >> 5) & 63)}:${two((time & 31) * 2)}`;
    const utc = header.length > 31 ? new Date(header.readUInt32LE(36) * 1_000).toISOString() : undefined;
    return { dos, utc };
  }

  it.each([
    ['in winter', '2026-11-02T11:00:00Z', '2026-11-02 12:00:00'],
    ['in summer', '2026-07-01T10:00:00Z', '2026-07-01 12:00:00'],
    ['just before summer time', '2026-03-29T00:59:58Z', '2026-03-29 01:59:58'],
    ['just after', '2026-03-29T01:00:00Z', '2026-03-29 03:00:00'],
    ['in the hour that comes twice, the first time', '2026-10-25T00:30:00Z', '2026-10-25 02:30:00'],
    ['and the second', '2026-10-25T01:30:00Z', '2026-10-25 02:30:00'],
    ['in the evening in UTC', '2026-11-01T23:30:00Z', '2026-11-02 00:30:00'],
    ['at midnight in Denmark', '2026-11-01T23:00:00Z', '2026-11-02 00:00:00'],
    ['at an odd second', '2026-11-02T11:00:01.999Z', '2026-11-02 12:00:00'],
  ])('%s is that of a Danish clock, and in UTC', (_when, at, dos) => {
    const second = at.replace('.999', '').replace('Z', '.000Z');
    expect(timesOf(at)).toEqual({ dos, utc: second });
  });

  it.each([
    ['before MS-DOS', '1969-07-20T20:17:40Z', '1980-01-01 00:00:00', undefined],
    ['in its last year', '2107-12-31T22:59:58Z', '2107-12-31 23:59:58', undefined],
    ['after it', '2200-01-01T00:00:00Z', '2107-12-31 23:59:58', undefined],
    ['in the last second of 32 bits', '2038-01-19T03:14:07Z', '2038-01-19 04:14:06', '2038-01-19T03:14:07.000Z'],
    ['after it', '2038-01-19T03:14:08Z', '2038-01-19 04:14:08', undefined],
  ])('%s is the nearest that the field can hold', (_when, at, dos, utc) => {
    expect(timesOf(at)).toEqual({ dos, utc });
  });
});

describe('the headers', () => {
  it('say size and checksum in front of the content, and the name in UTF-8', () => {
    const header = headersOf({ ...entry('bilag/æ.pdf', 7), crc32: 0xfedcba98 }, 0).local;
    expect(header.readUInt16LE(6)).toBe(1 << 11); // no data descriptor
    expect(header.readUInt16LE(8)).toBe(0); // stored
    expect([header.readUInt32LE(14), header.readUInt32LE(18), header.readUInt32LE(22)]).toEqual([0xfedcba98, 7, 7]);
    expect(header.toString('utf8', 30, 30 + header.readUInt16LE(26))).toBe('bilag/æ.pdf');
  });

  // APPNOTE.TXT 6.3.10, 4.5.3: both sizes in the local header; in the directory only what does not fit.
  it.each([
    [0xfffffffe, 0xfffffffe, [], []],
    [0xffffffff, 0xfffffffe, [0xffffffff, 0xffffffff], [0xffffffff, 0xffffffff]],
    [5, 0xffffffff, [], [0xffffffff]],
    [2 ** 33, 2 ** 40, [2 ** 33, 2 ** 33], [2 ** 33, 2 ** 33, 2 ** 40]],
  ])('of %d bytes at %d have them in zip64 if they do not fit', (size, offset, inLocal, inDirectory) => {
    const zip64Of = (header: Buffer, fixed: number) => {
      const field = header.subarray(fixed + 1 + 9); // after a name of one letter and the UTC field
      if (field.length === 0) return [];
      expect(field.readUInt16LE(0)).toBe(1);
      expect(field.readUInt16LE(2)).toBe(field.length - 4);
      return Array.from({ length: field.readUInt16LE(2) / 8 }, (_, at) => Number(field.readBigUInt64LE(4 + 8 * at)));
    };
    const { local, directory } = headersOf(entry('x', size), offset);
    expect(zip64Of(local, 30)).toEqual(inLocal);
    expect(zip64Of(directory, 46)).toEqual(inDirectory);
    expect(local.readUInt16LE(4)).toBe(inLocal.length > 0 ? 45 : 20);
    expect(directory.readUInt16LE(6)).toBe(inDirectory.length > 0 ? 45 : 20);
  });
});

describe('a zip', () => {
  it('is as long as it says, and any range of it is that part of the whole', async () => {
    const zip = new Zip([entry('a.txt', 300), entry('tom.txt'), entry('bilag/b.txt', 70_000)]);
    const whole = await buffer(zip.open());
    expect(whole).toHaveLength(zip.size);
    const borders = [0, 1, 29, 30, 44, 45, 200, 344, 345, 400, 500, 70_000, zip.size - 22, zip.size - 1, zip.size];
    for (const start of borders) {
      for (const end of borders.filter((each) => each >= start)) {
        expect((await buffer(zip.open({ start, end }))).equals(whole.subarray(start, end))).toBe(true);
      }
    }
  });

  it('has another entity tag when a name, a time, a place or a content differs', () => {
    const files = [entry('a.txt', 3), entry('b.txt', 3)];
    const [a, b] = files as [ZipFile, ZipFile];
    const tags = [
      files,
      [{ ...a, name: 'c.txt' }, b],
      [{ ...a, modifiedAt: new Date(NOON.getTime() + 2_000) }, b],
      [b, a],
      [{ ...a, sha256: Buffer.alloc(32, 1) }, b],
      [a],
    ].map((each) => new Zip(each).etag);
    expect(new Set(tags).size).toBe(tags.length);
    expect(new Zip([...files]).etag).toBe(tags[0]);
    expect(tags[0]).toMatch(/^"[0-9a-f]{64}"$/);
  });
});

describe('the directory of a large zip', () => {
  const LARGE = [
    entry('a.bin', 0xfffffffe),
    entry('b.txt', 5),
    entry('c.bin', 0x100000000),
    entry('d.bin', 12 * 2 ** 30),
  ];
  const MANY = Array.from({ length: 0xffff }, (_, at) => entry(`${at}.txt`));

  let large: string;
  let many: string;
  beforeAll(async () => {
    large = await writeWithHoles('large.zip', LARGE);
    many = await writeWithHoles('many.zip', MANY);
  });

  /** Writes a zip with holes in place of the contents. */
  async function writeWithHoles(name: string, files: readonly ZipFile[]): Promise<string> {
    const zip = new Zip(files);
    const path = join(folder, name);
    const target = await open(path, 'w');
    const copy = async (start: number, end: number) => {
      await target.write(await buffer(zip.open({ start, end })), 0, end - start, start);
    };
    let at = 0;
    let from = 0;
    for (const file of files) {
      at += headersOf(file, at).local.length;
      if (file.size > 0) await copy(from, at);
      at += file.size;
      if (file.size > 0) from = at;
    }
    await copy(from, zip.size);
    await target.close();
    return path;
  }

  const namesAndSizes = (files: readonly ZipFile[]) => files.map(({ name, size }) => [name, size]);

  for (const { name, here, list } of ZIP_READERS) {
    if (!list) continue;
    it.skipIf(!here)(`with files of more than 4 GiB is read by ${name}`, async () => {
      expect(await list(large)).toEqual(namesAndSizes(LARGE));
    });

    it.skipIf(!here)(`with 65535 files is read by ${name}`, async () => {
      const listed = await list(many);
      expect(listed).toHaveLength(MANY.length);
      expect(listed.at(-1)).toEqual(['65534.txt', 0]);
    });
  }

  it.each([
    ['files of more than 4 GiB', LARGE],
    ['65535 files', MANY],
  ])('is the same when it is written as it comes: %s', async (_what, files) => {
    async function* withoutContents() {
      for (const file of files) yield { ...file, open: () => [] };
    }
    const written: Buffer[] = [];
    for await (const bytes of writeZip(withoutContents())) written.push(bytes);
    const zip = new Zip(files);
    const end = Buffer.concat(written.slice(files.length)); // the directory and its end, which follow the local headers
    expect(end.equals(await buffer(zip.open({ start: zip.size - end.length, end: zip.size })))).toBe(true);
    expect(end.length).toBeGreaterThan(46 * files.length);
  });

  // APPNOTE.TXT 6.3.10, 4.4.1.4
  it.each([
    ['65534 entries', [0xfffe, 10, 10], 22],
    ['65535 entries', [0xffff, 10, 10], 98],
    ['a directory of 4 GiB but two bytes', [1, 0xfffffffe, 10], 22],
    ['a directory of 4 GiB but one', [1, 0xffffffff, 10], 98],
    ['a directory that begins just before 4 GiB', [1, 10, 0xfffffffe], 22],
    ['a directory that begins at 4 GiB', [1, 10, 0x100000000], 98],
  ] as const)('ends in zip64 only where it must: %s', (_what, [entries, size, offset], length) => {
    const end = endRecords(entries, size, offset);
    expect(end).toHaveLength(length);
    if (length === 22) return;
    expect(end.readBigUInt64LE(32)).toBe(BigInt(entries));
    expect(end.readBigUInt64LE(40)).toBe(BigInt(size));
    expect(end.readBigUInt64LE(48)).toBe(BigInt(offset));
    expect(end.readBigUInt64LE(64)).toBe(BigInt(offset + size)); // where the first of these records is
  });
});
