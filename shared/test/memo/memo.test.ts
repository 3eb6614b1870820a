import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { findMessage, instantOf, MEMO_NAMESPACE, readMemo } from '../../src/memo/index.js';
import { REMARKS, type RemarkCode, type XmlElement } from '../../src/xml/index.js';
import {
  anyMemo,
  fileElement,
  filesIn,
  type MemoSpec,
  memo,
  memoTree,
  memoXml,
  writePlain,
  writeWild,
} from './generate.js';
import { factsOf, filesOf, problemOf, readAll, readWhole } from './reading.js';

const HEADER = 'Message/MessageHeader';
const MAIN = 'Message/MessageBody/MainDocument';
const file = (filename: string, text = 'x') => ({ filename, bytes: Buffer.from(text) });

const NIL = 'xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:nil="true"';

/** A message with some of its XML changed. */
function but(from: string | RegExp, to: string, spec: MemoSpec = {}): string {
  const good = memoXml(spec);
  const changed = good.replace(from, to);
  expect(changed).not.toBe(good);
  return changed;
}

describe('reading a message', () => {
  it('gives its fields under the names of MeMo', async () => {
    const spec: MemoSpec = {
      contactPointID: '241d39f6-998e-4929-b198-ccacbbf4b330',
      contactInfo: [['Barnets CPR-nummer', '9999999999']],
      concerns: '9999999999',
      forwardOf: '0c6a5b4d-3e2f-4a1b-8c9d-7e6f5a4b3c2d',
      replies: [{ messageUUID: '0c6a5b4d-3e2f-4a1b-8c9d-7e6f5a4b3c2d', caseID: 'SAG-1' }],
      mainFiles: [{ filename: 'brev.pdf', bytes: Buffer.from('hej') }],
      technical: [[file('data.xml')]],
    };
    const { memo: read, remarks } = await readAll(memoXml(spec));
    expect(remarks).toEqual([]);
    expect(read).toEqual({
      version: '1.2',
      header: {
        messageType: 'DIGITALPOST',
        messageUUID: '5a0f4c2e-7d1b-4e83-9c56-0b1d2e3f4a5b',
        label: 'Svar på brev',
        sender: { senderID: '3213999999', idType: 'CPR', label: 'Test Testesen' },
        recipient: {
          recipientID: '22222222',
          idType: 'CVR',
          contactPoint: {
            contactPointID: '241d39f6-998e-4929-b198-ccacbbf4b330',
            label: 'Børn og unge',
            contactInfo: [{ label: 'Barnets CPR-nummer', value: '9999999999' }],
          },
        },
        contentData: { cprData: { cprNumber: '9999999999' }, additionalContentData: [] },
        forwardData: {
          messageUUID: '0c6a5b4d-3e2f-4a1b-8c9d-7e6f5a4b3c2d',
          originalMessageDateTime: '2026-02-03T10:00:00Z',
          originalSender: 'Prøve Prøvesen',
        },
        replyData: [{ messageUUID: '0c6a5b4d-3e2f-4a1b-8c9d-7e6f5a4b3c2d', caseID: 'SAG-1', additionalReplyData: [] }],
      },
      body: {
        createdDateTime: '2026-03-04T08:30:00Z',
        mainDocument: {
          files: [
            {
              encodingFormat: 'application/pdf',
              filename: 'brev.pdf',
              language: 'da',
              content: { index: 0, ...factsOf([Buffer.from('hej')])[0] },
            },
          ],
          actions: [],
        },
        additionalDocuments: [],
        technicalDocuments: [
          {
            files: [
              {
                encodingFormat: 'application/pdf',
                filename: 'data.xml',
                language: 'da',
                content: { index: 1, ...factsOf([Buffer.from('x')])[0] },
              },
            ],
          },
        ],
      },
    });
  });

  it('gives equal JSON for equal messages, however the XML is written', async () => {
    await fc.assert(
      fc.asyncProperty(anyMemo(), fc.nat(), async (spec, seed) => {
        const tree = memoTree(spec);
        const [one, other] = [await readAll(writePlain(tree)), await readAll(writeWild(tree, seed))];
        expect(JSON.stringify(other)).toBe(JSON.stringify(one));
        const sizes = filesOf(one.memo).map(({ content }) => content?.size);
        expect(sizes).toEqual(filesIn(tree).map((bytes) => bytes.length));
      }),
      { numRuns: 150 },
    );
  });

  it('gives different JSON for another order, text or content', async () => {
    const spec: MemoSpec = { mainFiles: [file('a'), file('b')] };
    const others: MemoSpec[] = [
      { mainFiles: [file('b'), file('a')] },
      { mainFiles: [file('a'), file('b', 'y')] },
      { ...spec, label: 'Andet' },
      { mainFiles: [file('a')], additional: [[file('b')]] },
    ];
    const all = await Promise.all(
      [spec, ...others].map(async (of) => JSON.stringify((await readAll(memoXml(of))).memo)),
    );
    expect(new Set(all).size).toBe(5);
  });

  it('keeps empty elements as empty text and leaves missing ones out', async () => {
    const { memo: read } = await readAll(
      but(
        '>22222222<',
        '>22222222</memo:recipientID><memo:idTypeLabel/><memo:label> \n </memo:label><memo:recipientID><',
      ),
    );
    expect(read.header.recipient).toMatchObject({ idTypeLabel: '', label: '' });
    expect(Object.keys(read.header)).not.toContain('messageID');
  });

  it('trims XML white space around a text, and nothing else', async () => {
    const { memo: read } = await readAll(memoXml({ label: '\n\t Svar \r\n på  brev\u00a0 ' }));
    expect(read.header.label).toBe('Svar \n på  brev\u00a0');
  });

  it('reads both versions', async () => {
    for (const version of ['1.1', '1.2'] as const) {
      const { memo: read, remarks } = await readAll(memoXml({ version }));
      expect([read.version, remarks]).toEqual([version, []]);
    }
  });

  it('reads NEMSMS, which has no body', async () => {
    const { memo: read, remarks } = await readAll(
      but(/<memo:MessageBody>.*<\/memo:MessageBody>/s, '', { messageType: 'NEMSMS' }),
    );
    expect([read.header.messageType, read.body, remarks]).toEqual(['NEMSMS', undefined, []]);
  });

  it('reads a message in a SOAP envelope, with prefixes declared on the envelope', async () => {
    const inner = memoXml()
      .replace(/^<\?[^>]*>/, '')
      .replace(/ xmlns:\w+="[^"]*"/g, '');
    const xml = `<s:Envelope xmlns:s="urn:example:soap" xmlns:memo="${MEMO_NAMESPACE}"><s:Body>${inner}</s:Body></s:Envelope>`;
    expect((await readAll(xml)).memo).toEqual((await readAll(memoXml())).memo);
  });

  it('keeps all of a text that is too long', async () => {
    const label = 'å'.repeat(1000);
    expect((await readAll(memoXml({ label }))).memo.header.label).toBe(label);
  });

  it('keeps every file in a wrong place as an additional document', async () => {
    const tree = memoTree({ mainFiles: [file('a')], additional: [[file('b')]] });
    const extra = [
      memo('MainDocument', fileElement(file('c'))),
      memo('Surprise', memo('Deeper', fileElement(file('d'))), fileElement(file('e'))),
    ];
    const body = tree.children[1] as typeof tree;
    const { memo: read, remarks } = await readAll(
      writePlain({ ...tree, children: [tree.children[0] ?? '', { ...body, children: [...body.children, ...extra] }] }),
    );
    expect(read.body?.mainDocument?.files.map(({ filename }) => filename)).toEqual(['a']);
    const additional = read.body?.additionalDocuments.map(({ files }) => files.map(({ filename }) => filename));
    expect(additional).toEqual([['b'], ['c'], ['d'], ['e']]);
    expect(remarks.map(({ code }) => code)).toEqual(
      expect.arrayContaining(['repeated-element', 'unknown-element', 'misplaced-file']),
    );
  });

  it('keeps both contents of one File', async () => {
    const xml = but('</memo:content>', '</memo:content><memo:content>eQ==</memo:content>', { mainFiles: [file('a')] });
    const { memo: read } = await readAll(xml);
    expect(filesOf(read).map(({ filename, content }) => [filename, content?.index])).toEqual([
      ['a', 0],
      ['a', 1],
    ]);
  });

  it('refuses files outside the Message', async () => {
    const outside = writePlain(fileElement(file('a'))).replace(/^<\?[^>]*>/, '');
    const xml = `<s:Envelope xmlns:s="urn:example:soap">${outside}${memoXml().replace(/^<\?[^>]*>/, '')}</s:Envelope>`;
    expect((await problemOf(readAll(xml))).code).toBe('not-memo');
  });

  it('refuses contents that do not match the extracted files', async () => {
    const { root, contents, token } = await readWhole(memoXml({ mainFiles: [file('a'), file('b')] }));
    const facts = factsOf(contents);
    const changed = (element: XmlElement, change: (element: XmlElement) => XmlElement): XmlElement =>
      change({ ...element, children: element.children.map((child) => changed(child, change)) });
    const firstFileTwice = changed(root, (element) =>
      element.local === 'MainDocument'
        ? { ...element, children: element.children.concat(element.children.slice(0, 1)) }
        : element,
    );
    const sameTokenTwice = changed(root, (element) =>
      element.text === token(1) ? { ...element, text: token(0) } : element,
    );
    const wrong: [typeof facts, typeof token, XmlElement][] = [
      [facts.slice(1), token, root],
      [[...facts, ...facts], token, root],
      [facts, (index) => `other:${index}`, root],
      [facts, token, firstFileTwice],
      [facts, token, sameTokenTwice],
    ];
    for (const [files, tokens, tree] of wrong) {
      const read = async () => readMemo(tree, files, tokens);
      expect((await problemOf(read())).code).toBe('not-memo');
    }
  });
});

describe('a fault becomes a remark:', () => {
  const uuid = '<memo:messageUUID>5a0f4c2e-7d1b-4e83-9c56-0b1d2e3f4a5b</memo:messageUUID>';
  const reply = { messageUUID: '0c6a5b4d-3e2f-4a1b-8c9d-7e6f5a4b3c2d' };
  const faults: [RemarkCode, string, () => string][] = [
    ['unknown-version', 'Message/@memoVersion', () => but('"1.2"', '"1.3"')],
    ['missing-element', 'Message/@memoVersion', () => but(' memoVersion="1.2"', '')],
    ['missing-element', 'Message/@memoSchVersion', () => but(' memoSchVersion="1.1.0"', '', { version: '1.1' })],
    ['unknown-element', 'Message/@memoSchVersion', () => but('"1.2"', '"1.2" memoSchVersion="1.1.0"')],
    [
      'missing-element',
      `${HEADER}/mandatory`,
      () => but('<memo:mandatory>false</memo:mandatory>', '', { version: '1.1' }),
    ],
    ['missing-element', `${HEADER}/label`, () => but('<memo:label>Svar på brev</memo:label>', '')],
    ['missing-element', `${HEADER}/Sender`, () => but(/<memo:Sender>.*<\/memo:Sender>/, '')],
    ['missing-element', 'Message/MessageBody', () => but(/<memo:MessageBody>.*<\/memo:MessageBody>/, '')],
    ['missing-element', `${MAIN}/File`, () => memoXml({ mainFiles: [] })],
    [
      'missing-element',
      `${MAIN}/File[2]/content`,
      () => but(/<memo:content>eQ==<\/memo:content>/, '', { mainFiles: [file('a'), file('b', 'y')] }),
    ],
    ['unknown-element', `${HEADER}/surprise`, () => but(uuid, `${uuid}<memo:surprise>x</memo:surprise>`)],
    ['unknown-element', `${HEADER}/*[2]`, () => but(uuid, `${uuid}<memo:a1/><memo:b2/>`)],
    [
      'unknown-element',
      `${HEADER}/label`,
      () => but('<memo:label>Svar på brev</memo:label>', '<grd:label>x</grd:label>'),
    ],
    ['unknown-element', `${HEADER}/label/b`, () => but('Svar på brev', 'Svar <b/> på brev')],
    [
      'unknown-element',
      `${HEADER}/Sender/Representative`,
      () => but('</memo:Sender>', '<memo:Representative/></memo:Sender>', { version: '1.1' }),
    ],
    ['repeated-element', `${HEADER}/label[2]`, () => but('<memo:Sender>', '<memo:label>x</memo:label><memo:Sender>')],
    [
      'repeated-element',
      `${HEADER}/Recipient/ContactPoint/ContactInfo`,
      () =>
        memoXml({
          contactPointID: 'x',
          contactInfo: [
            ['a', 'b'],
            ['c', 'd'],
            ['e', 'f'],
          ],
        }),
    ],
    [
      'wrong-order',
      `${HEADER}/messageType`,
      () =>
        but(
          `<memo:messageType>DIGITALPOST</memo:messageType>${uuid}`,
          `${uuid}<memo:messageType>DIGITALPOST</memo:messageType>`,
        ),
    ],
    ['unexpected-text', 'Message/MessageHeader', () => but(uuid, `${uuid}hej`)],
    [
      'misplaced-file',
      `${HEADER}/File`,
      () => but(uuid, `${uuid}<memo:File><memo:content>eQ==</memo:content></memo:File>`),
    ],
    ['text-too-long', `${HEADER}/label`, () => memoXml({ label: 'å'.repeat(257) })],
    [
      'text-too-long',
      `${HEADER}/ReplyData[2]/comment`,
      () => memoXml({ replies: [reply, { ...reply, comment: 'x'.repeat(513) }] }),
    ],
    ['empty-element', `${HEADER}/Sender/senderID`, () => but('>3213999999<', '><')],
    ['empty-element', `${MAIN}/File/filename`, () => memoXml({ mainFiles: [file('')] })],
    ['empty-element', `${MAIN}/File/content`, () => memoXml({ mainFiles: [file('a', '')] })],
    ['nil-with-value', `${MAIN}/File/content`, () => but('<memo:content>', `<memo:content ${NIL}>`)],
    ['nil-with-value', `${HEADER}/label`, () => but('<memo:label>Svar', `<memo:label ${NIL}>Svar`)],
    ['nil-with-value', `${HEADER}/Sender`, () => but('<memo:Sender>', `<memo:Sender ${NIL}>`)],
    ['wrong-uuid', `${HEADER}/messageUUID`, () => memoXml({ messageUUID: '5a0f4c2e-7d1b-1e83-9c56-0b1d2e3f4a5b' })],
    ['wrong-uuid', `${HEADER}/ReplyData[2]/messageUUID`, () => memoXml({ replies: [reply, { messageUUID: 'x' }] })],
    ['wrong-date', 'Message/MessageBody/createdDateTime', () => memoXml({ createdDateTime: '2026-02-30T08:30:00Z' })],
    [
      'wrong-date',
      'Message/MessageBody/createdDateTime',
      () => memoXml({ createdDateTime: '2026-02-03T08:30:00+01:00' }),
    ],
    [
      'wrong-date',
      `${HEADER}/doNotDeliverUntilDate`,
      () => but('<memo:Sender>', '<memo:doNotDeliverUntilDate>1/2/2026</memo:doNotDeliverUntilDate><memo:Sender>'),
    ],
    ['wrong-boolean', `${HEADER}/reply`, () => but('<memo:Sender>', '<memo:reply>ja</memo:reply><memo:Sender>')],
    ['wrong-language', `${MAIN}/File/language`, () => but('>da<', '>dansk<')],
    [
      'wrong-url',
      `${MAIN}/Action/EntryPoint/url`,
      () =>
        but(
          '</memo:MainDocument>',
          '<memo:Action><memo:label/><memo:actionCode/><memo:EntryPoint><memo:url>http://example.org</memo:url></memo:EntryPoint></memo:Action></memo:MainDocument>',
        ),
    ],
    ['wrong-number', `${HEADER}/Sender/senderID`, () => memoXml({ senderID: '321399-9999' })],
    ['wrong-number', `${HEADER}/Recipient/recipientID`, () => memoXml({ recipientID: '2222' })],
    ['wrong-number', `${HEADER}/ContentData/CPRdata/cprNumber`, () => memoXml({ concerns: 'x' })],
    ['unknown-value', `${HEADER}/messageType`, () => memoXml({ messageType: 'BREVPOST' })],
    ['unknown-value', `${HEADER}/Recipient/idType`, () => but('>CVR<', '>MyndighedsID<')],
    ['type-differs', `${MAIN}/File/encodingFormat`, () => memoXml({ mainFiles: [file('a.pdf', 'Kære kommune')] })],
    ['bad-file-name', `${MAIN}/File/filename`, () => memoXml({ mainFiles: [file('a/b.pdf')] })],
    ['bad-file-name', `${MAIN}/File[2]/filename`, () => memoXml({ mainFiles: [file('a'), file('a\u2005b.pdf')] })],
    ['more-remarks', 'Message', () => but(uuid, uuid + Array.from({ length: 300 }, () => '<memo:x/>').join(''))],
  ];

  it.each(faults)('%s at %s', async (code, path, xml) => {
    const { remarks } = await readAll(xml(), {}, code === 'type-differs' ? null : undefined);
    expect(remarks).toContainEqual({ code, path });
    if (code !== 'more-remarks') expect(remarks.length).toBeLessThan(6);
    expect(remarks.length).toBeLessThan(102);
  });

  it('every remark is tested', () => {
    expect([...new Set(faults.map(([code]) => code))].sort()).toEqual(Object.keys(REMARKS).sort());
  });

  it('no remark quotes the message', async () => {
    const { remarks } = await readAll(
      memoXml({ senderID: '321399-9999', messageUUID: 'secret', label: 'secret'.repeat(100) }),
    );
    expect(remarks.length).toBe(3);
    expect(JSON.stringify(remarks)).not.toMatch(/secret|9999/);
  });

  it('one for each element in wrong order, not only the first', async () => {
    const label = '<memo:label>Svar på brev</memo:label>';
    const { remarks } = await readAll(but(label, '').replace('<memo:messageType>', `${label}<memo:messageType>`));
    expect(remarks.map(({ path }) => path)).toEqual([`${HEADER}/messageType`, `${HEADER}/messageUUID`]);
  });

  it('all faults of a group, not only the first', async () => {
    const { remarks } = await readAll(but('<memo:label>Test Testesen</memo:label>', '', { senderID: '1' }));
    expect(remarks.map(({ path }) => path).sort()).toEqual([`${HEADER}/Sender/label`, `${HEADER}/Sender/senderID`]);
  });
});

describe('an element that is xsi:nil', () => {
  const nils = [
    NIL,
    NIL.replace('"true"', '"1"'),
    NIL.replace('"true"', "' true\n'"),
    NIL.replaceAll('xsi', 'i'),
    NIL.replaceAll('xsi', 'p3'),
  ];
  const contents = (nil: string) => [`<memo:content ${nil}/>`, `<memo:content ${nil}> \n </memo:content>`];

  it.each(nils.flatMap(contents))('has no content: %s', async (content) => {
    const xml = but(/<memo:content>[^<]*<\/memo:content>/, content, { mainFiles: [file('a'), file('b', 'y')] });
    const { memo: read, remarks } = await readAll(xml);
    expect(filesOf(read).map((each) => [each.filename, each.content?.index])).toEqual([
      ['a', undefined],
      ['b', 1],
    ]);
    expect(remarks).toEqual([{ code: 'missing-element', path: `${MAIN}/File/content` }]);
  });

  it('counts as absent: a text, a group, one of a list', async () => {
    const xml = but(
      '<memo:Sender>',
      `<memo:notification ${NIL}/><memo:replyByDateTime ${NIL}></memo:replyByDateTime><memo:Sender>`,
    )
      .replace('</memo:Sender>', `<memo:AttentionData ${NIL}/></memo:Sender>`)
      .replace('</memo:MessageHeader>', `<memo:ReplyData ${NIL}/></memo:MessageHeader>`);
    expect(await readAll(xml)).toEqual(await readAll(memoXml()));
  });

  it('is missing where MeMo requires it', async () => {
    const { memo: read, remarks } = await readAll(but('<memo:label>Svar på brev</memo:label>', `<memo:label ${NIL}/>`));
    expect(read.header).not.toHaveProperty('label');
    expect(remarks).toEqual([{ code: 'missing-element', path: `${HEADER}/label` }]);
    const noId = but(/<memo:messageUUID>[^<]*<\/memo:messageUUID>/, `<memo:messageUUID ${NIL}/>`);
    expect((await problemOf(readAll(noId))).code).toBe('no-message-uuid');
  });

  it('is none when it says false, or in another namespace', async () => {
    for (const nil of [
      NIL.replace('true', 'false'),
      NIL.replace('true', '0'),
      'nil="true"',
      'xmlns:x="u" x:nil="true"',
    ]) {
      const { memo: read, remarks } = await readAll(but('<memo:content>', `<memo:content ${nil}>`));
      expect([filesOf(read).length, remarks]).toEqual([1, []]);
    }
  });

  it('keeps the file of a content that says so but has one, and a nil content in a wrong place has none', async () => {
    const kept = await readAll(but('<memo:content>', `<memo:content ${NIL}>`));
    expect(filesOf(kept.memo)[0]?.content?.size).toBeGreaterThan(0);
    const misplaced = `<memo:File><memo:filename>x</memo:filename><memo:content ${NIL}/></memo:File><memo:Sender>`;
    const { memo: read, remarks } = await readAll(but('<memo:Sender>', misplaced));
    expect(filesOf(read).at(-1)).toEqual({ filename: 'x' });
    expect(remarks).toContainEqual({ code: 'misplaced-file', path: `${HEADER}/File` });
  });
});

it('xsi:type, xsi:schemaLocation and xml:space are no remark', async () => {
  const xsi = 'xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"';
  const xml = but('<memo:Message ', `<memo:Message ${xsi} xsi:schemaLocation="${MEMO_NAMESPACE} MeMo_core.xsd" `)
    .replace('<memo:label>', '<memo:label xsi:type="string" xml:space="preserve">')
    .replace('<memo:content>', '<memo:content xsi:type="base64Binary" xml:lang="da">');
  expect((await readAll(xml)).remarks).toEqual([]);
});

describe('a date and time', () => {
  const instants: [string, string][] = [
    ['2026-03-04T08:30:00Z', '2026-03-04T08:30:00.000Z'],
    ['2026-03-04T08:30:00.1234567Z', '2026-03-04T08:30:00.123Z'],
    ['2026-03-04T08:30:00+02:00', '2026-03-04T06:30:00.000Z'],
    ['2026-03-04T08:30:00', '2026-03-04T08:30:00.000Z'],
  ];
  it.each(instants)('%s is %s', (written, expected) => {
    expect(instantOf(written)?.toISOString()).toBe(expected);
  });

  it.each(['2026-02-30T00:00:00Z', 'i går', ''])('"%s" is not one', (written) => {
    expect(instantOf(written)).toBeUndefined();
  });
});

// The authority's own examples, where they are beside the repository; they are not ours to copy.
const examples = fileURLToPath(new URL('../../../../shared/fixtures/', import.meta.url));
describe.skipIf(!existsSync(examples))('the official examples', () => {
  const found = ['memo/', 'examples/'].flatMap((folder) => {
    const names = existsSync(examples + folder) ? readdirSync(examples + folder) : [];
    return names.filter((name) => /^memo.*\.xml$/i.test(name)).map((name) => folder + name);
  });

  it.each(found)('%s is read without a remark', async (name) => {
    const xml = readFileSync(examples + name);
    const whole = await readWhole(xml, [13]);
    expect(findMessage(whole.root)?.local).toBe('Message');
    const { memo: read, remarks } = await readAll(xml);
    expect(remarks).toEqual([]);
    expect(filesOf(read)).toHaveLength(whole.files);
  });
});
