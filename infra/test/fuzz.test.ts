import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { FOUND, fuzz, lastLine } from '../src/lab/fuzz/fuzz.js';
import { judge } from '../src/lab/fuzz/judge.js';
import { readStrictly } from '../src/lab/fuzz/strict.js';
import { withTargetOn } from '../src/lab/fuzz/target.js';
import { createTestDatabase } from '../src/testkit/database.js';

describe('a message that fuzzing once found', () => {
  const found = readdirSync(FOUND).filter((name) => name.endsWith('.xml'));

  test.each(found)('is read as the strict parser reads it, or refused: %s', async (name) => {
    const { failure } = await judge(readFileSync(`${FOUND}${name}`), () => 65_536);
    expect(failure).toBeUndefined();
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

describe('the strict parser', () => {
  const message = (content: string) =>
    Buffer.from(`<Message xmlns="https://DigitalPost.dk/MeMo-1"><File><content>${content}</content></File></Message>`);

  test.each(['QUJD', 'Q U\nJD', 'QQ==', '', '<![CDATA[QUJD]]>', 'QU&#73;='])('takes %s for base64', (content) => {
    expect(() => readStrictly(message(content))).not.toThrow();
  });
  test.each(['QUJ-', 'QUJ_', 'Q', 'QQ', 'QQ=', 'QQ==QQ==', '====', '<a/>', 'QUJD.'])('takes %s for none', (content) => {
    expect(() => readStrictly(message(content))).toThrow();
  });
  test.each(['<a', '<!DOCTYPE a><a/>', '<a>]]></a>', '<a b="" b=""/>', '<a:b/>', '<?xml?><a/>', '<a/>x', '<a>&b;</a>'])(
    'refuses %s',
    (xml) => {
      expect(() => readStrictly(Buffer.from(xml))).toThrow();
    },
  );
});
