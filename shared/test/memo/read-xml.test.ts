import { Readable } from 'node:stream';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { MEMO, MEMO_NAMESPACE } from '../../src/memo/index.js';
import { type FileSink, readXml } from '../../src/xml/index.js';
import { anyMemo, fileElement, filesIn, memo, memoTree, memoXml, writePlain, writeWild } from './generate.js';
import { bytesOf, chunked, LIMITS, problemOf, readWhole, referenceTree, sinkOf, treeOf } from './reading.js';

const inFile = (content: string) =>
  `<m:Message xmlns:m="${MEMO_NAMESPACE}"><m:File><m:content>${content}</m:content></m:File></m:Message>`;

const anyFile = fc.record({ filename: fc.constantFrom('a', ']]'), bytes: fc.uint8Array({ maxLength: 12 }) });

describe('reading the XML of a message', () => {
  it('gives the same as a parser of the whole XML, however it is written', { tags: 'long' }, async () => {
    await fc.assert(
      fc.asyncProperty(
        anyMemo(300),
        fc.nat(),
        fc.array(fc.integer({ min: 1, max: 400 }), { minLength: 1 }),
        async (spec, seed, sizes) => {
          const tree = memoTree(spec);
          const xml = writeWild(tree, seed);
          const whole = await readWhole(xml, sizes);
          expect(treeOf(whole)).toEqual(referenceTree(xml));
          expect(whole.contents.map((bytes) => bytes.toString('hex'))).toEqual(
            filesIn(tree).map((bytes) => Buffer.from(bytes).toString('hex')),
          );
        },
      ),
      { numRuns: 200 },
    );
  });

  it('gives the same wherever the source is cut in two, and byte by byte', { tags: 'long' }, async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(anyFile, { minLength: 1, maxLength: 2 }), fc.nat(), async (files, seed) => {
        const bytes = bytesOf(writeWild(memo('Message', memo('label', 'Æ & <ø>'), ...files.map(fileElement)), seed));
        const expected = facts(await readWhole(bytes));
        expect(facts(await readWhole(bytes, [1]))).toEqual(expected);
        for (let cut = 1; cut < bytes.length; cut += 1) {
          const cutHere = facts(await readWhole(bytes, [cut, bytes.length]));
          if (cutHere !== expected) expect({ cut, got: cutHere }).toEqual({ cut, got: expected });
        }
      }),
      { numRuns: 15 },
    );
  });

  it('finds where a content begins, whatever comes before it and in its tag', { tags: 'long' }, async () => {
    const looksLikeContent = [
      'content',
      '<m:content>',
      'content>',
      '>',
      '<m:File><m:content>QUJD</m:content></m:File>',
    ];
    const long = fc.integer({ min: 4085, max: 4105 }).map((length) => 'x'.repeat(length));
    const word = fc.oneof(fc.constantFrom(...looksLikeContent, 'con', 'tent', 'æ', ' '), long);
    const words = fc.array(word, { maxLength: 4 }).map((some) => some.join(''));
    const aside = fc.oneof(
      words.map((text) => `<!--${text}-->`),
      words.map((text) => `<?a ${text}?>`),
      words.map((text) => `<![CDATA[${text}]]>`),
      words.map((text) => text.replaceAll('<', '&lt;')),
      words.map((text) => `<content a="${text.replaceAll('<', '&lt;')}"/>`),
      words.map((text) => `<m:x>${text.replaceAll('<', '&lt;')}</m:x>`),
    );
    const attributes = words.map((text) => ` a='${text.replaceAll('<', '&lt;')}'`);
    const file = fc
      .tuple(aside, attributes, aside, attributes, fc.constantFrom('', 'QUJD', 'QQ<!-- > -->=='))
      .map(([before, ofFile, inside, ofContent, base64]) => ({
        xml: `${before}<m:File${ofFile}>${inside}<m:content${ofContent}>${base64}</m:content></m:File>`,
        content: base64 === '' ? '' : base64 === 'QUJD' ? 'ABC' : 'A',
      }));
    await fc.assert(
      fc.asyncProperty(fc.array(file, { maxLength: 3 }), fc.integer({ min: 1, max: 9000 }), async (files, size) => {
        const xml = `<m:Message xmlns:m="${MEMO_NAMESPACE}">${files.map((one) => one.xml).join('')}</m:Message>`;
        const whole = await readWhole(xml, [size]);
        expect(whole.contents.map(String)).toEqual(files.map(({ content }) => content));
        expect(treeOf(whole)).toEqual(referenceTree(xml));
        expect(facts(await readWhole(xml))).toEqual(facts(whole));
      }),
      { numRuns: 300 },
    );
  });

  it('finds a content whose name is split between two pieces for the parser', async () => {
    for (let length = 4080; length < 4100; length += 1) {
      const xml = inFile('QUJD').replace('<m:content>', `${'x'.repeat(length)}<m:content>`);
      for (const size of [1, 5000]) expect((await readWhole(xml, [size])).contents.join()).toBe('ABC');
    }
  });

  it('decodes large files from any chunks, with fast and slow sinks', { tags: 'long' }, async () => {
    const bytes = Buffer.from(
      Array.from({ length: 1_300_003 }, (_, index) => (Math.imul(index, 0x9e3779b1) >>> 15) & 255),
    );
    for (const seed of [1, 2, 3, 4]) {
      const tree = memoTree({
        mainFiles: [
          { filename: 'a', bytes },
          { filename: 'b', bytes: bytes.subarray(0, 70_001) },
        ],
      });
      const xml = seed === 1 ? writePlain(tree) : writeWild(tree, seed * 7919);
      for (const sizes of [[65_536], [10_000, 70_001, 3], [10_000_000]]) {
        const whole = await readWhole(xml, sizes, {}, seed % 2 === 0 ? undefined : slowSink);
        expect(whole.contents.map((content) => content.length)).toEqual([bytes.length, 70_001]);
        expect(whole.contents[0]?.equals(bytes)).toBe(true);
      }
    }
  });

  const LINES: [what: string, (base64: string) => string][] = [
    ['CR LF after 76', (base64) => base64.replace(/.{76}/g, '$&\r\n')],
    ['LF and tabs after 64', (base64) => `\n\t${base64.replace(/.{64}/g, '$&\n\t')}`],
    ['&#13; after 76, as Java, PHP and Ruby write CR LF', (base64) => base64.replace(/.{76}/g, '$&&#13;\n')],
    ['&#xD; after 64, as Node writes it', (base64) => base64.replace(/.{64}/g, '$&&#xD;\n')],
    ['CDATA around all of it', (base64) => `\n<![CDATA[${base64.replace(/.{76}/g, '$&\r\n')}]]>\n`],
    ['CDATA around each line', (base64) => base64.replace(/.{76}/g, '<![CDATA[$&]]>\n')],
    ['signs as references', (base64) => base64.replace(/[+/=]/g, (sign) => `&#x${sign.charCodeAt(0).toString(16)};`)],
    ['each character as a reference', (base64) => base64.replace(/./g, (letter) => `&#${letter.charCodeAt(0)};`)],
    ['a space after each', (base64) => base64.replace(/./g, '$& ')],
    ['a comment after each thousand', (base64) => base64.replace(/.{1000}/g, '$&<!-- -->')],
  ];
  it.each(LINES)('decodes base64 with %s', async (_what, write) => {
    const bytes = Buffer.from(Array.from({ length: 100_003 }, (_, n) => (Math.imul(n, 0x9e3779b1) >>> 15) & 255));
    const xml = inFile(write(bytes.toString('base64')));
    for (const sizes of [[65_536], [1_000, 7, 3], [10_000_000]]) {
      const small = (keep: (piece: Buffer) => void) =>
        sinkOf((piece) => void keep(piece) as undefined, undefined, 10_000);
      const [content] = (await readWhole(xml, sizes, {}, small)).contents;
      expect(content?.equals(bytes)).toBe(true);
    }
  });

  it('hands over full buffers of any size, and the rest last', async () => {
    const sizes: number[] = [];
    const base64 = Buffer.alloc(1_000_000, 7).toString('base64');
    const sink = sinkOf((bytes) => void sizes.push(bytes.length) as undefined, undefined, 393_216);
    await readXml(MEMO, chunked(bytesOf(inFile(base64)), [50_000]), () => sink, LIMITS);
    expect(sizes).toEqual([393_216, 393_216, 1_000_000 - 2 * 393_216]);
  });

  it('ends each file before it opens the next', async () => {
    const events: string[] = [];
    const openFile = (index: number): FileSink => {
      events.push(`open ${index}`);
      return sinkOf(
        async (bytes) => {
          await new Promise(setImmediate);
          events.push(`write ${index} ${bytes}`);
        },
        async () => {
          events.push(`end ${index}`);
          await new Promise(setImmediate);
        },
      );
    };
    const tree = memoTree({
      mainFiles: [
        { filename: 'a', bytes: Buffer.from('one') },
        { filename: 'b', bytes: Buffer.alloc(0) },
      ],
    });
    await readXml(MEMO, chunked(bytesOf(writePlain(tree)), [100]), openFile, LIMITS);
    expect(events).toEqual(['open 0', 'write 0 one', 'end 0', 'open 1', 'end 1']);
  });

  it('leaves everything but contents in the skeleton, byte for byte', async () => {
    const whole = await readWhole(
      `\ufeff<?xml version="1.0"?>\r\n${inFile('Q<!-- æ -->U<?x y?>J<![CDATA[D]]>')}\n<!-- end -->`,
    );
    expect(whole.comparable).toBe(`\ufeff<?xml version="1.0"?>\r\n${inFile('«0»<!-- æ --><?x y?>')}\n<!-- end -->`);
    expect(whole.contents.join()).toBe('ABC');
  });

  it('gives an empty content an empty file and a token', async () => {
    for (const empty of [
      inFile(''),
      inFile(' \n '),
      inFile('<![CDATA[]]>'),
      inFile('').replace('></m:content>', ' />'),
    ]) {
      const whole = await readWhole(empty);
      expect(whole.contents).toEqual([Buffer.alloc(0)]);
      expect(whole.comparable).toMatch(/<m:content ?>«0»<\/m:content>/);
    }
  });

  it('makes new tokens each time, which no sender can guess', async () => {
    const [one, two] = [await readWhole(inFile('QUJD')), await readWhole(inFile('QUJD'))];
    expect(one.token(0)).not.toBe(two.token(0));
    expect(one.token(0)).not.toBe(one.token(1));
    expect(one.token(0)).toMatch(/:[0-9a-f-]{36}:/);
  });

  it('extracts only MeMo contents of MeMo Files, by namespace', async () => {
    const others = [
      inFile('QUJD').replaceAll('m:File', 'm:Other'),
      inFile('QUJD').replaceAll('m:File', 'File'),
      inFile('QUJD').replace(MEMO_NAMESPACE, 'urn:example:other'),
      inFile('QUJD').replace('<m:content>', '<m:content xmlns:m="urn:example:other">'),
      inFile('<m:content>QUJD</m:content>')
        .replace('<m:content>', '<m:x>')
        .replace(/<\/m:content>(?=<\/m:File>)/, '</m:x>'),
    ];
    for (const xml of others) expect((await readWhole(xml)).comparable).toBe(xml);
  });

  it('says where the first Message is, and how many there are', async () => {
    const message = memoXml().replace(/^<\?xml[^>]*>/, '');
    const envelope = (inside: string) =>
      `<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/"><s:Body>${inside}</s:Body></s:Envelope>`;
    const range = async (xml: string) => {
      const whole = await readWhole(xml, [7]);
      const { start, end } = whole.message ?? { start: 0, end: 0 };
      const cut = whole.skeleton.subarray(start, end).toString().replace(whole.token(0), '«0»');
      return [whole.messages, cut.length, cut.startsWith('<memo:Message '), cut.endsWith('</memo:Message>')];
    };
    const length = (await readWhole(message)).comparable.length + 1; // letters such as ø are counted as one
    expect(length).toBeGreaterThan(500);
    expect((await range(message)).slice(0, 1)).toEqual([1]);
    expect((await range(envelope(message))).slice(0, 1)).toEqual([1]);
    expect((await range(envelope(message))).slice(2)).toEqual([true, true]);
    expect((await range(envelope(message + message)))[0]).toBe(2);
    expect(await range(envelope(message))).toEqual(await range(message));
    expect((await range(envelope(message + message)))[1]).toBe((await range(message))[1]);
    expect((await readWhole(envelope('<x/>'))).message).toBeUndefined();
    const nested = `<m:Message xmlns:m="${MEMO_NAMESPACE}"><m:Message/></m:Message>`;
    expect((await readWhole(nested)).messages).toBe(1);
    expect((await readWhole(nested)).message).toMatchObject({ start: 0, end: nested.length });
  });

  it('counts the bytes of the source', async () => {
    const xml = memoXml();
    expect((await readWhole(xml, [11])).bytes).toBe(Buffer.byteLength(xml));
  });

  it('keeps memory flat over 60 MB', async () => {
    const piece = Buffer.from(Buffer.alloc(48 * 1024, 0x5a).toString('base64'));
    async function* source() {
      const [before, after] = inFile('|').split('|') as [string, string];
      yield Buffer.from(before);
      for (let count = 0; count < 1000; count += 1) yield piece;
      yield Buffer.from(after);
    }
    let [decoded, highest] = [0, 0];
    const before = process.memoryUsage();
    const write = (bytes: Buffer) => {
      decoded += bytes.length;
      const { arrayBuffers, external } = process.memoryUsage();
      highest = Math.max(highest, arrayBuffers + external - before.arrayBuffers - before.external);
      return undefined;
    };
    const { skeleton } = await readXml(MEMO, source(), () => sinkOf(write), LIMITS);
    expect(decoded).toBe(1000 * 48 * 1024);
    expect(skeleton.length).toBeLessThan(300);
    expect(highest).toBeLessThan(4_000_000);
  });
});

describe('a failure while reading', () => {
  it('ends the reading of a stream, and destroys it', async () => {
    const stream = Readable.from([Buffer.from('<a>'), Buffer.from('</b>'), Buffer.from('never read')]);
    expect((await problemOf(readXml(MEMO, stream, () => sinkOf(() => undefined), LIMITS))).code).toBe('not-xml');
    expect(stream.destroyed).toBe(true);
  });

  it('is that of a stream, once the write in flight has settled', async () => {
    const gone = new Error('gone');
    const events: string[] = [];
    const stream = new Readable({ read() {} });
    stream.push(Buffer.from(inFile(Buffer.alloc(90_000).toString('base64')).slice(0, 100_000)));
    const sink = sinkOf(async () => {
      stream.destroy(gone);
      await new Promise(setImmediate);
      events.push('written');
    });

    await expect(readXml(MEMO, stream, () => sink, LIMITS)).rejects.toBe(gone);

    expect(events).toEqual(['written']);
  });

  it('passes an error of the source through unchanged', async () => {
    const gone = new Error('gone');
    async function* source() {
      yield Buffer.from(inFile('QUJD').slice(0, 120));
      throw gone;
    }
    await expect(readXml(MEMO, source(), () => sinkOf(() => undefined), LIMITS)).rejects.toBe(gone);
  });

  it('passes an error of a sink through, from write and from end, soon or late', async () => {
    const full = new Error('disk full');
    const base64 = Buffer.alloc(900_000).toString('base64');
    const sinks: FileSink[] = [
      sinkOf(() => Promise.reject(full)),
      sinkOf(() => new Promise((_, reject) => setTimeout(reject, 5, full))),
      sinkOf(
        () => undefined,
        () => Promise.reject(full),
      ),
    ];
    for (const sink of sinks) {
      await expect(readXml(MEMO, chunked(bytesOf(inFile(base64)), [65_536]), () => sink, LIMITS)).rejects.toBe(full);
    }
  });

  it('fails for a write that failed while the source was quiet', async () => {
    const full = new Error('disk full');
    const xml = inFile(Buffer.alloc(90_000).toString('base64'));
    async function* source() {
      yield Buffer.from(xml.slice(0, 100_000));
      for (let count = 0; count < 5; count += 1) await new Promise(setImmediate);
      yield Buffer.from(xml.slice(100_000));
    }
    const sink = sinkOf(() => Promise.reject(full));
    await expect(readXml(MEMO, source(), () => sink, LIMITS)).rejects.toBe(full);
  });

  it('waits for the write in flight before it gives up, and does not end the file', async () => {
    const events: string[] = [];
    const sink = sinkOf(
      async () => {
        await new Promise((resolve) => setTimeout(resolve, 20));
        events.push('written');
      },
      () => void events.push('ended') as undefined,
    );
    const base64 = `${Buffer.alloc(100_000).toString('base64')}*`;
    await problemOf(readXml(MEMO, chunked(bytesOf(inFile(base64)), [65_536]), () => sink, LIMITS));
    expect(events).toEqual(['written']);
  });
});

/** A sink that reads its buffer only later, as a disk does. */
function slowSink(keep: (bytes: Buffer) => void): FileSink {
  let count = 0;
  return sinkOf(
    (bytes) => {
      count += 1;
      if (count % 3 === 0) {
        keep(bytes);
        return undefined;
      }
      return new Promise((resolve) =>
        setImmediate(() => {
          keep(bytes);
          resolve();
        }),
      );
    },
    () => new Promise(setImmediate),
  );
}

function facts(whole: Awaited<ReturnType<typeof readWhole>>): string {
  const { comparable, contents, bytes, messages, message } = whole;
  return JSON.stringify({
    comparable,
    bytes,
    messages,
    message,
    contents: contents.map((content) => content.toString('hex')),
  });
}
