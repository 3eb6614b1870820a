import { expect, it } from 'vitest';
import { useNodesCrc32 } from '../src/zip/crc32.js';

it('sums that archiver does not use are reported', async () => {
  const unused = { buf: () => 0 };
  await expect(useNodesCrc32(unused)).rejects.toThrow('archiver does not make its sums with crc-32 any more');
});
