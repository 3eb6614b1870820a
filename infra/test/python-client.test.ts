import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startTestStack, type TestStack } from '../src/testkit/stack.js';
import { writeMemo } from '../src/testkit/write-memo.js';

const PYTHON = '/usr/bin/python3';
const CLIENT = fileURLToPath(new URL('../../docs/examples/caseworkers_day.py', import.meta.url));
const SUBJECTS = ['Svar på jeres brev', 'Spørgsmål om samvær', 'Ansøgning om aflastning', 'Klage', 'Ny adresse'];
const HTML = '<html><body><p>Kære kommune.</p><p>Barnet <b>trives</b>.</p></body></html>';

if (!existsSync(PYTHON)) process.stdout.write(`Skipped: the client in Python requires ${PYTHON}.\n`);

describe.skipIf(!existsSync(PYTHON))('a client in Python', () => {
  let stack: TestStack;
  let output: string;

  beforeAll(async () => {
    stack = await startTestStack();
    for (const subject of SUBJECTS) await stack.deliver(writeMemo({ subject }));
    const files = [{ name: 'status.html', type: 'text/html', content: Buffer.from(HTML) }];
    await stack.deliver(writeMemo({ subject: 'Status fra børnehaven', documents: [{ files }] }));
    const env = {
      CASEWORKER_TOKEN: await stack.token({ user: 'caseworker' }),
      COLLEAGUE_TOKEN: await stack.token({ user: 'colleague' }),
      CORE_TOKEN: await stack.token({ user: 'dubu-core', system: true }),
      PYTHONUTF8: '1',
    };
    ({ stdout: output } = await promisify(execFile)(PYTHON, [CLIENT, stack.url], { env }));
  });
  afterAll(() => stack.close());

  test('lists, searches, and reads a text', () => {
    expect(output).toContain('6 messages wait: 6 enquiry');
    expect(output).toContain('“Klage” from Test Testesen, 0 hours old. I may: ');
    expect(output).toMatch(
      /Found 1: “Status fra børnehaven” from Test Testesen. It says: “Kære kommune.\s+Barnet trives.\s*”/,
    );
  });

  test('distributes all to a team, and goes on when a colleague was first', async () => {
    expect(output).toContain('6 of 6 are assigned to team-1.');
    expect(output).toContain('(412 version-changed)');
    expect(output).toContain("it is colleague's, in version 3");
    expect(await stack.sql(`SELECT assignee_id, count(*)::int FROM messages GROUP BY 1 ORDER BY 1`)).toEqual([
      { assignee_id: 'colleague', count: 1 },
      { assignee_id: 'team-1', count: 5 },
    ]);
  });

  test('files, once even though the answer was lost', async () => {
    expect(output).toContain('(409 unknown-case)');
    expect(output).toContain('is journalized on DAY-1 and DAY-2.');
    expect(output).toContain('It was done: journalized, version 3, Idempotency-Replayed: true.');
    expect(output).toContain('Its history has it 1 time.');
    expect(await stack.sql(`SELECT case_id, count(*)::int FROM journalizations GROUP BY 1 ORDER BY 1`)).toEqual([
      { case_id: 'DAY-1', count: 2 },
      { case_id: 'DAY-2', count: 1 },
    ]);
  });

  test('rejects, is told why that cannot be filed, and reopens', () => {
    expect(output).toContain('is rejected.');
    expect(output).toContain('(409 wrong-status)');
    expect(output).toContain('it is reopened, and pending again.');
  });

  test('reads the Excel file, and what is left', () => {
    expect(output).toMatch(/It has 6 rows with the columns .*Emne/);
    expect(output).toContain('4 messages wait, 3 of them for team-1.');
  });
});
