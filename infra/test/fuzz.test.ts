import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { FOUND, fuzz, lastLine } from '../src/lab/fuzz/fuzz.js';
import { judge, wrongVerdicts } from '../src/lab/fuzz/judge.js';
import { faultsByLibxml2, hasXmllint } from '../src/lab/fuzz/libxml2-opinion.js';
import { withTargetOn } from '../src/lab/fuzz/target.js';
import { readByXml2js } from '../src/lab/fuzz/xml2js-opinion.js';
import { createTestDatabase } from '../src/testkit/database.js';

describe('a message that the fuzzer once found', () => {
  const found = readdirSync(FOUND).filter((name) => name.endsWith('.xml'));

  test.each(found)('is refused, or read as xml2js reads it: %s', async (name) => {
    const { failure } = await judge(readFileSync(`${FOUND}${name}`), () => 65_536);
    expect(failure).toBeUndefined();
  });

  test.skipIf(!hasXmllint)('is refused exactly when libxml2 refuses it', async () => {
    const messages = found.map((name) => readFileSync(`${FOUND}${name}`));
    const judged = messages.map(async (message) => ({ message, verdict: await judge(message, () => 65_536) }));
    expect((await wrongVerdicts(await Promise.all(judged))).filter(Boolean)).toEqual([]);
  });
});

test('three seconds of fuzzing, in process and over HTTP, find nothing', async () => {
  const database = await createTestDatabase();
  const found: string[] = [];

  const result = await withTargetOn(database, (stack) =>
    fuzz({ seconds: 3, seed: 1, stack, onFailure: (failure) => found.push(failure) }),
  );

  console.info(lastLine(result));
  expect(found).toEqual([]);
  expect(result.accepted).toBeGreaterThan(0);
  expect(result.refused).toBeGreaterThan(0);
  expect(result.overHttp).toBeGreaterThan(0);
  await database.drop();
});

describe('xml2js', () => {
  const message = (content: string) =>
    Buffer.from(`<Message xmlns="https://DigitalPost.dk/MeMo-1"><File><content>${content}</content></File></Message>`);

  test.each(['QUJD', 'Q U\nJD', 'QQ==', '', '<![CDATA[QUJD]]>', 'QU&#73;='])('accepts %s as base64', (content) => {
    expect(() => readByXml2js(message(content))).not.toThrow();
  });
  test.each(['QUJ-', 'QUJ_', 'Q', 'QQ', 'QQ=', 'QQ==QQ==', '====', '<a/>', 'QUJD.'])(
    'refuses %s as base64',
    (content) => {
      expect(() => readByXml2js(message(content))).toThrow();
    },
  );
  test.each(['<a', '<a:b/>', '<a>&b;</a>', '<a></b>'])('refuses %s', (xml) => {
    expect(() => readByXml2js(Buffer.from(xml))).toThrow();
  });
});

test.skipIf(!hasXmllint)('libxml2 reports which of many messages are not well-formed', async () => {
  const bad = [
    '<a',
    '<a>]]></a>',
    '<a b="" b=""/>',
    '<a:b/>',
    '<?xml?><a/>',
    '<a/>x',
    '<a>&b;</a>',
    '<a xmlns:b=""/>',
    ' \ufeff<a/>',
  ];
  const good = ['<a/>', ' <?xml version="1.0"?><a/>', '<a xmlns:b="u"><b:c d="&lt;"/></a>'];

  const faults = await faultsByLibxml2([...good, ...bad].map((xml) => Buffer.from(xml)));

  expect(faults.map(({ length }) => length > 0)).toEqual([...good.map(() => false), ...bad.map(() => true)]);
});
