import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Problem } from '../../src/errors/index.js';
import { MEMO, MEMO_NAMESPACE } from '../../src/memo/index.js';
import { type FileSink, readXml, type Spill, Trail } from '../../src/xml/index.js';

const LIMITS = { maxBytes: 2 ** 20, maxSkeletonBytes: 2 ** 16, maxFiles: 100, maxDepth: 64 };
const ENOUGH = 2 ** 20;
// Small, so that files have many pieces.
const LENT = 96;

/** A file in memory, as a sealer would take it. */
function memorySink(pieces: Buffer[]): FileSink {
  return {
    lend: (extra) => Buffer.alloc(LENT + extra),
    write(bytes) {
      pieces.push(Buffer.from(bytes));
      return undefined;
    },
    async end() {},
  };
}

function memorySpill(): Spill {
  const written: Buffer[] = [];
  return {
    async write(bytes) {
      written.push(Buffer.from(bytes));
    },
    async *read() {
      yield* written;
    },
    async drop() {},
  };
}

interface Read {
  readonly fault: string | undefined;
  /** What the trail has, and then the rest of the chunks. */
  readonly bytes: Buffer;
  readonly spilled: boolean;
}

/** Reads chunks with a trail, as the receiver does. */
async function read(chunks: readonly Buffer[], maxBytes = ENOUGH): Promise<Read> {
  const files: Buffer[][] = [];
  let spilled = false;
  let next = 0;
  const trail = new Trail(maxBytes, () => {
    spilled = true;
    return memorySpill();
  });
  const source = async function* () {
    while (next < chunks.length) {
      const chunk = chunks[next++] as Buffer;
      await trail.came(chunk);
      yield chunk;
    }
  };
  const openFile = (index: number) => {
    files[index] = [];
    return memorySink(files[index]);
  };
  const fault = await readXml(MEMO, source(), openFile, LIMITS, undefined, trail).then(
    () => undefined,
    (error: unknown) => {
      if (!(error instanceof Problem)) throw error;
      return error.code;
    },
  );
  const bytes: Buffer[] = [];
  for await (const piece of trail.bytes(async function* (file) {
    yield* files[file] ?? [];
  })) {
    bytes.push(Buffer.from(piece));
  }
  return { fault, bytes: Buffer.concat([...bytes, ...chunks.slice(next)]), spilled };
}

const message = (contents: readonly string[]) => {
  const files = contents.map((content) => `<m:File><m:content>${content}</m:content></m:File>`).join('\n  ');
  return `<m:Message xmlns:m="${MEMO_NAMESPACE}"><m:MessageBody><m:MainDocument>${files}</m:MainDocument></m:MessageBody></m:Message>`;
};

/** Base64 as it may be written: in one piece, in lines alike or not, in CDATA, with comments, instructions and references. */
const written = fc
  .tuple(
    fc.oneof(
      fc.uint8Array({ maxLength: 1_200 }),
      fc.nat({ max: 1_200 }).map((length) => new Uint8Array(length).fill(0)), // whose characters are all alike
    ),
    fc.constantFrom('plain', 'lines', 'indented', 'ragged', 'CDATA', 'comments', 'references'),
    fc.integer({ min: 1, max: 100 }),
  )
  .map(([bytes, how, n]) => {
    const text = Buffer.from(bytes).toString('base64');
    const inLines = (end: string) => text.replace(new RegExp(`.{1,${n}}`, 'g'), `$&${end}`);
    if (how === 'lines') return `\r\n${inLines('\r\n')}`;
    if (how === 'indented') return inLines('\n    ');
    if (how === 'ragged')
      return text.replace(/.{1,9}/g, (each) => `${each.slice(0, text.length % 9)} ${each}`.slice(-each.length - 1));
    if (how === 'CDATA') return `<![CDATA[${inLines(']]><![CDATA[')}]]>`;
    if (how === 'comments') return inLines('<!-- her --><?x y?>');
    if (how === 'references')
      return text.replace(new RegExp(`(.{${n}})(.)`, 'g'), (_, a: string, b: string) => `${a}&#${b.charCodeAt(0)};`);
    return text;
  });

/** Some fault, or none. */
const fault = fc.constantFrom<(xml: string, at: number) => string>(
  (xml) => xml,
  (xml) => `${xml}<`,
  (xml, at) => xml.slice(0, at),
  (xml, at) => `${xml.slice(0, at)}!${xml.slice(at)}`,
  (xml, at) => `${xml.slice(0, at)}=${xml.slice(at)}`,
  (xml, at) => `${xml.slice(0, at)}${xml.slice(at + 1)}`,
  (xml, at) => `${xml.slice(0, at)}\0ÿ${xml.slice(at)}`,
  (xml) => xml.replace('=</', 'x=</'),
);

function* cut(bytes: Buffer, sizes: readonly number[]): Generator<Buffer> {
  for (let at = 0, turn = 0; at < bytes.length; turn += 1) {
    const size = sizes[turn % sizes.length] as number;
    yield bytes.subarray(at, at + size);
    at += size;
  }
}

const bodies = fc
  .tuple(
    fc.array(written, { maxLength: 4 }),
    fault,
    fc.nat({ max: 6_000 }),
    fc.array(fc.integer({ min: 1, max: 700 }), { minLength: 1, maxLength: 5 }),
  )
  .map(([contents, change, at, sizes]) => {
    const xml = message(contents);
    const body = Buffer.from(change(xml, at % xml.length));
    return { body, chunks: [...cut(body, sizes)] };
  });

describe('the bytes of a body can be had again from its trail, to the last', () => {
  it('however its base64 is written, it arrives, and it is broken', async () => {
    await fc.assert(
      fc.asyncProperty(bodies, async ({ body, chunks }) => {
        expect((await read(chunks)).bytes.toString('latin1')).toBe(body.toString('latin1'));
      }),
      { numRuns: 400 },
    );
  });

  it('also when they take too much memory', async () => {
    await fc.assert(
      fc.asyncProperty(bodies, fc.integer({ min: 0, max: 2_000 }), async ({ body, chunks }, maxBytes) => {
        expect((await read(chunks, maxBytes)).bytes.toString('latin1')).toBe(body.toString('latin1'));
      }),
      { numRuns: 200 },
    );
  });

  it('when a form’s parser copies some of them on the way', async () => {
    const body = Buffer.from(`${message([Buffer.alloc(900, 'x').toString('base64')])}<`);
    const trail = new Trail(ENOUGH, memorySpill);
    const pieces: Buffer[] = [];
    const source = async function* () {
      for (const [index, chunk] of [...cut(body, [100])].entries()) {
        await trail.came(chunk);
        yield index % 2 === 0 ? Buffer.from(chunk) : chunk;
      }
    };
    await expect(readXml(MEMO, source(), () => memorySink(pieces), LIMITS, undefined, trail)).rejects.toThrow(
      'not-xml',
    );
    const bytes: Buffer[] = [];
    for await (const piece of trail.bytes(async function* () {
      yield* pieces;
    })) {
      bytes.push(Buffer.from(piece));
    }
    expect(Buffer.concat(bytes).toString()).toBe(body.toString());
  });
});

describe('a trail takes', () => {
  const lines = (width: number, end: string) =>
    `${message([
      Buffer.alloc(300_000, 'abc')
        .toString('base64')
        .replace(new RegExp(`.{1,${width}}`, 'g'), `$&${end}`),
    ])}<`;

  it.each([
    ['in one line', 400_000, ''],
    ['in lines of 76', 76, '\r\n'],
    ['in lines of 75', 75, '\n'],
    ['in indented lines', 64, '\r\n      '],
  ])('hardly any memory for base64 %s', async (_how, width, end) => {
    const body = Buffer.from(lines(width, end));
    const { fault, bytes, spilled } = await read([...cut(body, [1_460])], 40_000);
    expect({ fault, spilled, isSame: bytes.equals(body) }).toEqual({ fault: 'not-xml', spilled: false, isSame: true });
  });
});
