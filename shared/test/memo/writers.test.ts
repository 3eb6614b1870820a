import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { filesOf, readAll, readWhole } from './reading.js';

// One message as other programs and libraries write it by default: declaration, prefixes, references, line ends, base64.
const folder = new URL('./writers/', import.meta.url);
const read = (name: string) => readFileSync(new URL(name, folder));

describe('a message is the same, and without a remark, as it is written by', () => {
  it.each(readdirSync(folder))('%s', async (name) => {
    const plain = await readAll(read('plain.xml'));

    const { memo, remarks } = await readAll(read(name));

    expect(filesOf(memo)).toHaveLength(1);
    expect(JSON.stringify(memo)).toBe(JSON.stringify(plain.memo));
    expect(remarks).toEqual([]);
  });

  it('each of them, byte by byte', async () => {
    const [plain] = (await readWhole(read('plain.xml'))).contents;
    for (const name of readdirSync(folder)) {
      const { contents } = await readWhole(read(name), [1]);
      expect(contents, name).toEqual([plain]);
    }
  });
});
