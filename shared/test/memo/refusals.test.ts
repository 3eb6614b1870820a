import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { ErrorCode } from '../../src/errors/index.js';
import { MEMO_NAMESPACE } from '../../src/memo/index.js';
import type { XmlLimits } from '../../src/xml/index.js';
import { memoXml } from './generate.js';
import { problemOf, readAll, readWhole } from './reading.js';

const FILE = 'Message/MessageBody/MainDocument/File';
const UUID = '<memo:messageUUID>5a0f4c2e-7d1b-4e83-9c56-0b1d2e3f4a5b</memo:messageUUID>';
const good = memoXml({
  mainFiles: [
    { filename: 'a.txt', bytes: Buffer.from('one') },
    { filename: 'b.txt', bytes: Buffer.from('two') },
  ],
});
const [ONE, TWO] = ['b25l', 'dHdv'];
/** The good message with one thing changed. */
const but = (from: string | RegExp, to: string): string => {
  const changed = good.replace(from, to);
  expect(changed).not.toBe(good);
  return changed;
};
const content = (text: string) => but(TWO, text);
const latin1 = (text: string) => Buffer.from(text, 'latin1');

interface Refused {
  readonly what: string;
  readonly xml: () => string | Uint8Array;
  readonly code: ErrorCode;
  readonly path?: string;
  readonly limits?: Partial<XmlLimits>;
}

const REFUSED: Refused[] = [
  { what: 'an empty body', xml: () => '', code: 'not-xml' },
  { what: 'white space only', xml: () => ' \n', code: 'not-xml' },
  { what: 'only a declaration', xml: () => '<?xml version="1.0"?>', code: 'not-xml' },
  { what: 'JSON', xml: () => '{"Message": 1}', code: 'not-xml' },
  { what: 'a PDF', xml: () => latin1('%PDF-1.7 \xe2\xe3'), code: 'not-xml' },
  { what: 'text after the root', xml: () => `${good}x`, code: 'not-xml' },
  { what: 'text before the root', xml: () => `x${good}`, code: 'not-xml' },
  { what: 'two roots', xml: () => `${good.replace(/^<\?[^>]*>/, '')}<x/>`, code: 'not-xml' },
  { what: 'CDATA outside the root', xml: () => `<![CDATA[x]]>${good.replace(/^<\?[^>]*>/, '')}`, code: 'not-xml' },
  { what: 'an end tag without its start', xml: () => `${good}</x>`, code: 'not-xml' },
  { what: 'an end tag of another element', xml: () => but('</memo:label>', '</memo:lable>'), code: 'not-xml' },
  { what: 'an end tag with another prefix', xml: () => but('</memo:content>', '</grd:content>'), code: 'not-xml' },
  { what: 'an end tag with an attribute', xml: () => but('</memo:label>', '</memo:label a="b">'), code: 'not-xml' },
  { what: 'an unquoted attribute', xml: () => but('memoVersion="1.2"', 'memoVersion=1.2'), code: 'not-xml' },
  {
    what: 'an attribute twice',
    xml: () => but('memoVersion="1.2"', 'memoVersion="1.2" memoVersion="1.1"'),
    code: 'not-xml',
  },
  { what: 'a < in an attribute', xml: () => but('memoVersion="1.2"', 'memoVersion="<"'), code: 'not-xml' },
  { what: 'an empty tag name', xml: () => but(UUID, '<>'), code: 'not-xml' },
  { what: 'a space before the name', xml: () => but(UUID, '< a/>'), code: 'not-xml' },
  { what: 'a name that begins with a digit', xml: () => but(UUID, '<1a/>'), code: 'not-xml' },
  { what: 'a name with two colons', xml: () => but(UUID, '<memo:a:b/>'), code: 'not-xml' },
  { what: 'an undeclared prefix', xml: () => but(UUID, '<who:a/>'), code: 'not-xml' },
  { what: 'an undeclared prefix that JavaScript knows', xml: () => but(UUID, '<toString:a/>'), code: 'not-xml' },
  { what: 'an undeclared prefix of an attribute', xml: () => but(UUID, '<memo:a who:b="c"/>'), code: 'not-xml' },
  {
    what: 'an undeclared prefix of an attribute that JavaScript knows',
    xml: () => but(UUID, '<memo:a toString:b="c"/>'),
    code: 'not-xml',
  },
  { what: 'a prefix outside its scope', xml: () => but(UUID, '<memo:a xmlns:i="urn:i"/><i:b/>'), code: 'not-xml' },
  { what: 'a bare ampersand', xml: () => but('Test Testesen', 'Test & Testesen'), code: 'not-xml' },
  {
    what: 'a bare ampersand in an attribute',
    xml: () => but('memoVersion="1.2"', 'memoVersion="1&2"'),
    code: 'not-xml',
  },
  { what: 'a reference to no character', xml: () => but('Test Testesen', '&#0;'), code: 'not-xml' },
  { what: 'a comment with --', xml: () => but(UUID, `<!-- a -- b -->${UUID}`), code: 'not-xml' },
  { what: 'an instruction without space after its name', xml: () => but(UUID, `<?a?b?>${UUID}`), code: 'not-xml' },
  {
    what: 'half a byte order mark',
    xml: () => Buffer.concat([latin1('\xef\xbb'), Buffer.from(good)]),
    code: 'not-utf8',
  },
  {
    what: 'half a character at the end',
    xml: () => Buffer.concat([Buffer.from(good), latin1('\xe6')]),
    code: 'not-utf8',
  },
  {
    what: 'an ampersand with a content behind it that is over the limit for the rest',
    xml: () => but('Test Testesen', 'A & B').replace(TWO, 'QUJD'.repeat(1500)),
    limits: { maxSkeletonBytes: 4096 },
    code: 'not-xml',
    path: 'Message/MessageHeader/Sender/label',
  },
  { what: 'an unknown declaration', xml: () => but(UUID, '<!ELEMENT a ANY>'), code: 'not-xml' },
  { what: 'an XML declaration in the middle', xml: () => but(UUID, `<?xml version="1.0"?>${UUID}`), code: 'not-xml' },
  { what: 'a document type', xml: () => `<!DOCTYPE Message>${good}`, code: 'forbidden-xml' },
  {
    what: 'a document type with entities',
    xml: () => '<!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>',
    code: 'forbidden-xml',
  },
  { what: 'a document type in lower case', xml: () => '<!doctype html><html/>', code: 'forbidden-xml' },
  { what: 'an entity of its own', xml: () => but('Test Testesen', '&name;'), code: 'forbidden-xml' },
  { what: 'an entity of HTML', xml: () => but('Test Testesen', '&aelig;'), code: 'forbidden-xml' },
  {
    what: 'an entity in an attribute',
    xml: () => but('memoVersion="1.2"', 'memoVersion="&v;"'),
    code: 'forbidden-xml',
  },
  { what: 'an entity in upper case', xml: () => but('Test Testesen', '&AMP;'), code: 'forbidden-xml' },
  ...['__proto__', 'constructor', 'prototype'].flatMap((name): Refused[] => [
    { what: `an element ${name}`, xml: () => but(UUID, `<${name}/>${UUID}`), code: 'forbidden-xml' },
    { what: `an element memo:${name}`, xml: () => but(UUID, `<memo:${name}/>${UUID}`), code: 'forbidden-xml' },
    { what: `an attribute ${name}`, xml: () => but(UUID, `<memo:a ${name}="x"/>${UUID}`), code: 'forbidden-xml' },
    { what: `a prefix ${name}`, xml: () => but(UUID, `<memo:a xmlns:${name}="x"/>${UUID}`), code: 'forbidden-xml' },
  ]),
  { what: 'UTF-16 with a mark', xml: () => Buffer.from(`\ufeff${good}`, 'utf16le'), code: 'not-utf8' },
  { what: 'UTF-16 without a mark', xml: () => Buffer.from(good, 'utf16le'), code: 'not-utf8' },
  { what: 'big-endian UTF-16', xml: () => Buffer.from(`\ufeff${good} `, 'utf16le').swap16(), code: 'not-utf8' },
  { what: 'big-endian UTF-16 without a mark', xml: () => Buffer.from(`${good}`, 'utf16le').swap16(), code: 'not-utf8' },
  { what: 'a declared Latin-1', xml: () => but('UTF-8', 'ISO-8859-1'), code: 'not-utf8' },
  { what: 'a declared Latin-1 in apostrophes', xml: () => but('"UTF-8"', "'iso-8859-1'"), code: 'not-utf8' },
  { what: 'Latin-1 that is not declared', xml: () => latin1(good), code: 'not-utf8' },
  { what: 'NULs after the root', xml: () => `${good}\n\0\0`, code: 'not-utf8' },
  { what: 'a NUL', xml: () => but('Testesen', 'Test\0esen'), code: 'not-utf8' },
  { what: 'a message cut off in content', xml: () => good.slice(0, good.indexOf(TWO) + 2), code: 'not-xml' },
  { what: 'a message cut off in a comment', xml: () => `${good}<!-- `, code: 'not-xml' },
  {
    what: 'base64 with a foreign character',
    xml: () => content('dH*v'),
    code: 'content-not-base64',
    path: `${FILE}[2]/content`,
  },
  { what: 'base64url', xml: () => content('d-dv'), code: 'content-not-base64', path: `${FILE}[2]/content` },
  { what: 'base64url with _', xml: () => but(ONE, 'd_dv'), code: 'content-not-base64', path: `${FILE}/content` },
  { what: 'base64 cut short', xml: () => content('dHd'), code: 'content-not-base64', path: `${FILE}[2]/content` },
  { what: 'one character of base64', xml: () => content('d'), code: 'content-not-base64', path: `${FILE}[2]/content` },
  { what: 'one padding too few', xml: () => content('dA='), code: 'content-not-base64', path: `${FILE}[2]/content` },
  { what: 'one padding too many', xml: () => content('dHd=='), code: 'content-not-base64', path: `${FILE}[2]/content` },
  { what: 'three paddings', xml: () => content('d==='), code: 'content-not-base64' },
  {
    what: 'a foreign character in the last group, with spaces',
    xml: () => content('dH dv d*=='),
    code: 'content-not-base64',
  },
  { what: 'padding alone', xml: () => content('===='), code: 'content-not-base64', path: `${FILE}[2]/content` },
  {
    what: 'text after the padding',
    xml: () => content('dA==dHdv'),
    code: 'content-not-base64',
    path: `${FILE}[2]/content`,
  },
  {
    what: 'other white space',
    xml: () => content('dHdv\u00a0'),
    code: 'content-not-base64',
    path: `${FILE}[2]/content`,
  },
  { what: 'a form feed', xml: () => content('dHdv\f'), code: 'content-not-base64', path: `${FILE}[2]/content` },
  {
    what: 'an entity in content',
    xml: () => content('dHd&amp;'),
    code: 'content-not-base64',
    path: `${FILE}[2]/content`,
  },
  {
    what: 'a foreign character reference',
    xml: () => content('dHd&#42;'),
    code: 'content-not-base64',
    path: `${FILE}[2]/content`,
  },
  {
    what: 'a reference beyond Unicode',
    xml: () => content('dHd&#x110000;'),
    code: 'content-not-base64',
    path: `${FILE}[2]/content`,
  },
  {
    what: 'a reference without end',
    xml: () => content('dHd&#118'),
    code: 'content-not-base64',
    path: `${FILE}[2]/content`,
  },
  {
    what: 'an element in content',
    xml: () => content('<memo:x/>'),
    code: 'content-not-base64',
    path: `${FILE}[2]/content`,
  },
  {
    what: 'a bracket in CDATA',
    xml: () => content('<![CDATA[dH]dv]]>'),
    code: 'content-not-base64',
    path: `${FILE}[2]/content`,
  },
  {
    what: 'a comment in CDATA',
    xml: () => content('<![CDATA[<!-- -->]]>'),
    code: 'content-not-base64',
    path: `${FILE}[2]/content`,
  },
  { what: 'too many bytes', xml: () => good, limits: { maxBytes: good.length }, code: 'too-large' },
  { what: 'too long a skeleton', xml: () => good, limits: { maxSkeletonBytes: 600 }, code: 'skeleton-too-large' },
  {
    what: 'a start tag without end',
    xml: () => `<a b="${'x'.repeat(5000)}`,
    limits: { maxSkeletonBytes: 4096 },
    code: 'skeleton-too-large',
  },
  {
    what: 'a comment in content without end',
    xml: () => content(`<!--${'x'.repeat(5000)}`),
    limits: { maxSkeletonBytes: 4096 },
    code: 'skeleton-too-large',
  },
  { what: 'too many files', xml: () => good, limits: { maxFiles: 1 }, code: 'skeleton-too-large' },
  { what: 'too deep nesting', xml: () => '<a>'.repeat(41), code: 'not-memo' },
  { what: 'too many elements', xml: () => `<a>${'<b/>'.repeat(50_000)}`, code: 'skeleton-too-large' },
  {
    what: 'too many attributes',
    xml: () => `<a ${Array.from({ length: 101 }, (_, index) => `a${index}=""`).join(' ')}/>`,
    code: 'not-memo',
  },
  {
    what: 'too many prefixes',
    xml: () =>
      [0, 1]
        .map((part) => `<a ${Array.from({ length: 60 }, (_, index) => `xmlns:p${part}x${index}="u"`).join(' ')}>`)
        .join(''),
    code: 'not-memo',
  },
  { what: 'another root', xml: () => '<a/>', code: 'not-memo' },
  { what: 'a Message of no namespace', xml: () => '<Message/>', code: 'not-memo' },
  ...[`${MEMO_NAMESPACE}/`, MEMO_NAMESPACE.replace('https', 'http'), MEMO_NAMESPACE.toLowerCase()].map(
    (uri): Refused => ({ what: `a Message of ${uri}`, xml: () => but(MEMO_NAMESPACE, uri), code: 'not-memo' }),
  ),
  {
    what: 'a Message without header',
    xml: () => `<Message xmlns="${MEMO_NAMESPACE}"/>`,
    code: 'not-memo',
    path: 'Message/MessageHeader',
  },
  {
    what: 'a message without id',
    xml: () => but(UUID, ''),
    code: 'no-message-uuid',
    path: 'Message/MessageHeader/messageUUID',
  },
  { what: 'a message with an empty id', xml: () => but(UUID, '<memo:messageUUID/>'), code: 'no-message-uuid' },
  {
    what: 'a message with a blank id',
    xml: () => but(UUID, '<memo:messageUUID> \u00a0\n</memo:messageUUID>'),
    code: 'no-message-uuid',
  },
];

describe('a message is refused for', () => {
  it.each(REFUSED)('$what', async ({ xml, code, path, limits }) => {
    const problem = await problemOf(readAll(xml(), limits));
    expect(problem.code).toBe(code);
    if (path !== undefined) expect(problem.path).toBe(path);
    expect(problem.detail).toMatch(/^[A-Z].*\.$/s);
    expect(problem.detail).not.toMatch(/Testesen|3213999999/);
  });

  it('the same reason when it is read byte by byte', async () => {
    for (const { xml, code, limits } of REFUSED.filter((refused) => refused.code !== 'skeleton-too-large')) {
      const bytes = xml();
      const atOnce = await readWhole(bytes, undefined, limits).then(
        () => undefined,
        (error: unknown) => error,
      );
      if (atOnce === undefined) continue;
      expect((await problemOf(readWhole(bytes, [1], limits))).code).toBe(code);
    }
  });
});

describe('a refusal', () => {
  it('follows wherever a message is cut off', async () => {
    for (let end = 0; end < good.length; end += 1) {
      const { code } = await problemOf(readWhole(good.slice(0, end)));
      expect(['not-xml', 'content-not-base64']).toContain(code);
    }
  });

  it('gives line and column, and does not quote the text', async () => {
    const problem = await problemOf(readAll(but('Test Testesen', '\n\n  Hemmelig &#1; Testesen')));
    expect(problem.detail).toMatch(/line 3, column \d+ /);
    expect(JSON.stringify([problem, problem.message, problem.detail])).not.toMatch(/Hemmelig|Testesen/);
  });

  it('does not repeat names chosen by the sender in a path', async () => {
    const own = but(UUID, '<memo:CPR-3213999999><memo:b>&x;</memo:b></memo:CPR-3213999999>');
    expect((await problemOf(readWhole(own))).path).toBe('Message/MessageHeader/*/b');
  });

  it('for a wrong end tag comes before any for MeMo', async () => {
    for (const xml of ['<a></b>', '<a><b></a></b>', good.replace('</memo:content>', '</memo:File>')]) {
      expect((await problemOf(readWhole(xml))).code).toBe('not-xml');
    }
  });

  it('comes exactly one beyond each limit', async () => {
    const { skeleton, bytes } = await readWhole(good);
    const limits = { maxBytes: bytes, maxSkeletonBytes: skeleton.length, maxFiles: 2, maxDepth: 5 };
    await readWhole(good, [100], limits);
    for (const key of ['maxBytes', 'maxSkeletonBytes', 'maxFiles', 'maxDepth'] as const) {
      await problemOf(readWhole(good, [100], { ...limits, [key]: limits[key] - 1 }));
    }
  });

  it('stops reading a source that is not XML', async () => {
    expect((await problemOf(readWhole(Buffer.alloc(10_000_000, 'x'), [65_536]))).code).toBe('not-xml');
  });
});

describe('a message is not refused for', () => {
  const accepted: [string, () => string][] = [
    ['white space before the declaration', () => `\n${good}`],
    ['a declaration without encoding', () => but(' encoding="UTF-8"', '')],
    ['an encoding in lower case', () => but('UTF-8', 'utf-8')],
    ['a stylesheet instruction', () => but('<memo:Message ', '<?xml-stylesheet encoding="latin1"?><memo:Message ')],
    ['trailing bits that are not zero', () => content('dHdvdB==')],
    ['white space in content as references', () => content('&#10;dHd&#x20;v&#13;')],
    ['many references in a text', () => but('Test Testesen', '&amp;'.repeat(3000))],
    [
      'an element with a name that xml2js uses itself',
      () => but(UUID, `<_>x</_><cdata><![CDATA[y]]></cdata><memo:toString/>${UUID}`),
    ],
  ];
  it.each(accepted)('%s', async (_, xml) => {
    await readAll(xml());
  });
});

describe('base64', () => {
  const open = `<File xmlns="${MEMO_NAMESPACE}"><content>`;

  it('is accepted or refused as RFC 4648 requires, wherever it is cut', async () => {
    const character = fc.constantFrom(...'ABCz09+/ABCz09+/ABCz09+/=\n -_*');
    await fc.assert(
      fc.asyncProperty(
        fc.array(character, { maxLength: 14 }),
        fc.integer({ min: 1, max: 9 }),
        async (characters, size) => {
          const text = characters.join('');
          const significant = text.replace(/[ \n]/g, '');
          const valid = significant.length % 4 === 0 && /^[A-Za-z0-9+/]*={0,2}$/.test(significant);
          const attempt = readWhole(`${open}${text}</content></File>`, [open.length, ...Array(20).fill(size)]);
          if (valid) expect((await attempt).contents[0]).toEqual(Buffer.from(significant, 'base64'));
          else expect((await problemOf(attempt)).code).toBe('content-not-base64');
        },
      ),
      { numRuns: 2000 },
    );
  });

  it('is refused for one wrong character among many', async () => {
    const long = Buffer.alloc(150_000, 9).toString('base64');
    for (const spaced of [long, long.replace(/.{76}/g, '$&\r\n')]) {
      await readWhole(`${open}${spaced}</content></File>`, [40_000]);
      for (const at of [0, 39_990, 65_536, 130_001, spaced.length - 2]) {
        for (const wrong of ['*', '-', '_', '.', '\v', '=']) {
          const text = spaced.slice(0, at) + wrong + spaced.slice(at + 1);
          const { code } = await problemOf(readWhole(`${open}${text}</content></File>`, [40_000]));
          expect(code).toBe('content-not-base64');
        }
      }
    }
  });
});
