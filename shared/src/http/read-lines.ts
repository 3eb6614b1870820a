import type { Request } from 'express';
import { Problem } from '../errors/index.js';
import { requireUncompressed } from './read-bytes.js';

/** A line of a body that has something in it. */
export interface Line {
  /** From 1 on; empty lines count. */
  readonly number: number;
  /** Without the end of the line; undefined when it is longer than the limit. */
  readonly bytes: Buffer | undefined;
}

const LINE_FEED = 0x0a;

/**
 * The lines of a body as they come, of which one is in memory at a time. What follows the last line feed is a line too, but only
 * in a body that came whole.
 *
 * @throws Problem bad-request (none, or incomplete), unsupported-media-type (compressed)
 */
export async function* readLines(req: Request, maxBytes: number): AsyncGenerator<Line> {
  requireUncompressed(req);
  let parts: Buffer[] = [];
  let size = 0;
  let number = 1;
  const add = (part: Buffer) => {
    size += part.length;
    if (size <= maxBytes) parts.push(part);
    else parts = [];
  };
  const take = (): Line => {
    const line = { number, bytes: size > maxBytes ? undefined : Buffer.concat(parts) };
    [parts, size, number] = [[], 0, number + 1];
    return line;
  };
  for await (const chunk of chunksOf(req)) {
    let from = 0;
    for (let end = chunk.indexOf(LINE_FEED); end >= 0; end = chunk.indexOf(LINE_FEED, from)) {
      add(chunk.subarray(from, end));
      from = end + 1;
      const line = take();
      if (!isBlank(line)) yield line;
    }
    add(chunk.subarray(from));
  }
  const last = take();
  if (!isBlank(last)) yield last;
}

/** @throws Problem bad-request when they end before the body does */
async function* chunksOf(req: Request): AsyncGenerator<Buffer> {
  const incomplete = (cause?: unknown) =>
    new Problem('bad-request', 'The body is not complete.', { path: 'body', cause });
  const chunks = req.iterator({ destroyOnReturn: false })[Symbol.asyncIterator](); // its socket carries the answer
  try {
    for (;;) {
      const next = (await chunks.next().catch((error: unknown) => {
        throw incomplete(error);
      })) as IteratorResult<Buffer>;
      if (next.done) break;
      yield next.value;
    }
  } finally {
    await chunks.return?.();
  }
  if (!req.complete) throw incomplete();
}

/** Nothing but what JSON takes for white space. */
function isBlank({ bytes }: Line): boolean {
  return bytes?.every((byte) => byte === 0x20 || byte === 0x09 || byte === 0x0d) ?? false;
}
