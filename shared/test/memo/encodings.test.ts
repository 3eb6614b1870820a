import { describe, expect, it } from 'vitest';
import { memoXml } from './generate.js';
import { bytesOf, problemOf, readWhole } from './reading.js';

const DECLARATION = '<?xml version="1.0" encoding="UTF-8"?>';
const NOT_ASCII = memoXml({ label: 'Spørgsmål' });
const ASCII = memoXml({ label: 'Sp&#248;rgsm&#229;l' }).replace(
  /[^\0-\x7f]/g,
  (letter) => `&#${letter.charCodeAt(0)};`,
);
const declaring = (xml: string, declaration: string) => {
  expect(xml).toContain(DECLARATION);
  return xml.replace(DECLARATION, declaration);
};
const labelled = (xml: string, label: string) => declaring(xml, `<?xml version="1.0" encoding="${label}"?>`);

const LIKE_ASCII = [
  ...['us-ascii', 'US-ASCII', 'ascii', 'ASCII', 'ANSI_X3.4-1968', 'ISO646-US', 'csASCII', 'us_ascii'],
  ...['ISO-8859-1', 'iso8859-1', 'ISO8859_1', 'latin1', 'latin-1', 'ISO-8859-15', 'windows-1252', 'Cp1252', 'cp850'],
];

describe('an XML declaration', () => {
  it.each(LIKE_ASCII)('of %s is taken as long as all bytes are ASCII', async (label) => {
    await readWhole(labelled(ASCII, label));
    for (const sizes of [[1], [1_000_000]]) {
      const problem = await problemOf(readWhole(labelled(NOT_ASCII, label), sizes));
      expect([problem.code, problem.detail]).toEqual([
        'not-utf8',
        'The XML declaration names an encoding other than UTF-8, and not all bytes are ASCII. Send the message as UTF-8.',
      ]);
    }
  });

  it('of ASCII forbids other bytes everywhere: in a comment, in a content, after the root', async () => {
    const ascii = labelled(ASCII, 'us-ascii');
    const inContent = ascii.replace('<memo:content>', '<memo:content><!-- æ -->');
    for (const xml of [`${ascii}<!-- æ -->`, ascii.replace('?>', '?><!-- æ -->'), inContent]) {
      expect((await problemOf(readWhole(xml))).code).toBe('not-utf8');
    }
  });

  it.each(['utf-16', 'UTF-16LE', 'ISO-10646-UCS-2', 'utf-32'])(
    'of %s counts for nothing when each character is a byte, as .NET and Java write it into a string',
    async (label) => {
      const { skeleton } = await readWhole(labelled(NOT_ASCII, label));
      expect(skeleton.toString()).toContain('Spørgsmål');
    },
  );

  it.each(['UTF-7', 'x-unknown', 'EBCDIC-CP-DK', 'hz-gb-2312', 'utf--16', 'utf--8', 'u_t_f16'])(
    'of %s is refused',
    async (label) => {
      const problem = await problemOf(readWhole(labelled(ASCII, label)));
      expect([problem.code, problem.detail]).toEqual([
        'not-utf8',
        'The XML declaration names an encoding other than UTF-8. Send the message as UTF-8.',
      ]);
    },
  );

  const forms = [
    "<?xml version='1.0' encoding='UTF-8'?>",
    '<?xml version = "1.0"\n\tencoding = "utf8" ?>',
    '<?xml version="1.0" encoding="utf-8" standalone="yes"?>',
    `<?xml version="1.0" standalone='no' ?>`,
    '<?xml version="1.1" encoding="UTF-8"?>',
    '<?xml version="1.0"?>\r\n<?xml-stylesheet href="a"?>\r\n<?mso-application progid="a"?><!-- a -->',
  ];
  it.each(forms)('may be written %s', async (declaration) => {
    await readWhole(declaring(NOT_ASCII, declaration));
  });
});

describe('the encoding is told by the byte order mark, else by the charset, else by the declaration:', () => {
  const MARK = '\ufeff';
  const cases: [what: string, xml: string, charset: string | undefined, code: string | undefined][] = [
    ['a mark against charset and declaration', MARK + labelled(NOT_ASCII, 'ISO-8859-1'), 'us-ascii', undefined],
    ['a mark against a charset of UTF-16', MARK + NOT_ASCII, 'utf-16', undefined],
    ['a charset of UTF-8 against a declaration', labelled(NOT_ASCII, 'ISO-8859-1'), 'UTF-8', undefined],
    ['a charset of UTF-8 against an unknown declaration', labelled(NOT_ASCII, 'x-unknown'), 'utf8', undefined],
    ['another charset against a declaration of UTF-8', NOT_ASCII, 'iso-8859-1', 'not-utf8'],
    ['another charset, when all bytes are ASCII', ASCII, 'iso-8859-1', undefined],
    ['a charset of ASCII', ASCII, '646', undefined],
    ['a charset of UTF-16 on bytes that are not', ASCII, 'utf-16', 'not-utf8'],
    ['an unknown charset', ASCII, 'x-unknown', 'not-utf8'],
    ['neither', NOT_ASCII.replace(DECLARATION, ''), undefined, undefined],
  ];
  it.each(cases)('%s', async (_what, xml, charset, code) => {
    for (const sizes of [[1], [1_000_000]]) {
      const reading = readWhole(bytesOf(xml), sizes, {}, undefined, charset);
      if (code === undefined) await reading;
      else expect((await problemOf(reading)).code).toBe(code);
    }
  });

  it('a mark inside a text is a character', async () => {
    const { skeleton } = await readWhole(`${MARK}${memoXml({ label: `a${MARK}b` })}`);
    expect(skeleton.toString()).toContain(`>a${MARK}b<`);
  });
});
