import { expect, it } from 'vitest';
import { useNodesCrc32 } from '../src/zip/crc32.js';

it('a checksum that archiver does not use is reported', async () => {
  const unused = { buf: () => 0 };
  await expect(useNodesCrc32(unused)).rejects.toThrow('archiver no longer uses crc-32');
});
