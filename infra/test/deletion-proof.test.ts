import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Finder, needlesOfBytes, needlesOfText } from '../src/lab/plants/needles.js';
import { searchFiles } from '../src/lab/plants/search-files.js';
import { launchCommand } from '../src/testkit/command.js';

const WORD = 'vb7kq2m9zt4xw8hd3nfp';
const BYTES = Buffer.from(Array.from({ length: 5_000 }, (_, at) => (at * at + 7 * at) % 251));

describe('the search', () => {
  let folder: string;

  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'indbakke-search-'));
  });

  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  const formsIn = (content: Buffer) => {
    writeFileSync(join(folder, 'file'), content);
    const finder = new Finder([
      ...needlesOfText('a word', WORD),
      ...needlesOfBytes('a container', 'ciphertext', BYTES),
    ]);
    const { found, searched } = searchFiles([{ name: 'here', folder }], finder);
    expect(searched).toEqual([{ area: 'here', files: 1, bytes: content.length }]);
    return [...new Set(found.map(({ form }) => form))];
  };
  const around = (content: Buffer | string) =>
    Buffer.concat([Buffer.alloc(100, 'a'), Buffer.from(content), Buffer.alloc(100, 'z')]);

  it.each([0, 1, 2])('finds a word in base64 that begins %i bytes after a multiple of three', (shift) => {
    const text = `${'x'.repeat(30 + shift)}${WORD} and more`;
    expect(formsIn(around(Buffer.from(text).toString('base64')))).toEqual(['base64']);
  });

  it('finds it as text, in UTF-16, in hexadecimal and escaped', () => {
    expect(formsIn(around(WORD))).toContain('plain');
    expect(formsIn(around(Buffer.from(WORD, 'utf16le')))).toEqual(['UTF-16']);
    expect(formsIn(around(Buffer.from(WORD).toString('hex')))).toEqual(['hexadecimal']);
    const escaped = (prefix: string) => [...Buffer.from(WORD)].map((byte) => prefix + byte.toString(16)).join('');
    expect(formsIn(around(escaped('%')))).toEqual(['URL-encoded']);
    expect(formsIn(around(escaped('\\u00')))).toEqual(['JSON-escaped']);
  });

  it('finds it as PostgreSQL compresses it: with a byte of its own after each eight', () => {
    const compressed = Buffer.concat([
      Buffer.from(WORD.slice(0, 3)),
      Buffer.of(0),
      Buffer.from(WORD.slice(3, 11)),
      Buffer.of(0),
      Buffer.from(WORD.slice(11)),
    ]);
    expect(formsIn(around(compressed))).toEqual(['piece of compressed']);
  });

  it('finds ciphertext of which a page has only a part', () => {
    expect(formsIn(around(BYTES.subarray(1_100, 2_600)))).toEqual(['ciphertext']);
  });

  it('finds what lies across the parts that a large file is read in', { tags: 'long' }, () => {
    const large = Buffer.alloc(34 * 2 ** 20);
    large.write(WORD, 16 * 2 ** 20 - 10);
    expect(formsIn(large)).toContain('plain');
    expect(formsIn(Buffer.alloc(34 * 2 ** 20))).toEqual([]);
  });

  it('does not see into other compression, which the report says', () => {
    expect(formsIn(gzipSync(Buffer.from(`${WORD} ${'and more '.repeat(50)}`)))).toEqual([]);
  });
});

it('of planted letters everything is found before they are deleted, and nothing after the scrub, which there was something to do for', {
  tags: 'lab',
  timeout: 240_000,
}, async () => {
  const { output, errors, status } = await launchCommand('../lab/deletion-proof/main', [
    '--short',
    '--queue',
    'postgresql',
  ]).ended;
  expect({ errors, status }, output).toMatchObject({ status: 0 });
  for (const form of ['plain', 'piece of compressed', 'ciphertext', 'wrapped key', 'SHA-256'])
    expect(output).toMatch(new RegExp(`database files: ${form}, [1-9]\\d* plants`));
  expect(output).toMatch(/write-ahead log: plain, [1-9]/);
  expect(output).toMatch(/content store: ciphertext, [1-9]/);
  expect(output).toMatch(/After the deletion, before the scrub: found [1-9]/);
  expect(output).toMatch(/\nfound 0\n/);
});
