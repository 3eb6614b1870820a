import { Readable } from 'node:stream';
import { expect, it } from 'vitest';
import { readLines } from '../../src/http/index.js';

const CHUNK = Buffer.from(`${'x'.repeat(999)}\n`.repeat(64));

/** A body without end, as a request, and how much of it was read. */
function endless() {
  const seen = { bytes: 0 };
  const body = new Readable({
    read() {
      seen.bytes += CHUNK.length;
      this.push(CHUNK);
    },
  });
  return { req: Object.assign(body, { headers: {}, complete: false }) as never, seen };
}

it('the lines of a body are read as they are taken, and never far ahead', async () => {
  const { req, seen } = endless();
  let taken = 0;
  for await (const { number, bytes } of readLines(req, 1_000)) {
    taken += 1;
    expect([number, bytes?.length]).toEqual([taken, 999]);
    expect(seen.bytes - taken * 1_000).toBeLessThan(4 * CHUNK.length);
    if (taken === 10_000) break;
  }
});
