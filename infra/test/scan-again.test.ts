// @module-tag long
import { spawnSync } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { deliverMemo, read } from '../../shared/test/inbox/support.js';
import { ODENSKOV, startTestStack, type TestStack } from '../src/testkit/stack.js';

// npm run scan-again: what could not be scanned is held, and waits for its scan.

let stack: TestStack;
beforeAll(async () => {
  stack = await startTestStack({ CLAMD_URL: 'tcp://127.0.0.1:1' });
});
afterAll(() => stack.close());

function run(args: readonly string[], settings: Readonly<Record<string, string>> = {}) {
  const command = fileURLToPath(new URL('../dist/local/scan-again.js', import.meta.url));
  const env = { ...process.env, ...stack.env, ...settings };
  return spawnSync(process.execPath, [command, ...args], { env, encoding: 'utf8' });
}

async function letter(scan: string): Promise<string> {
  const id = await deliverMemo(stack);
  await stack.sql('DELETE FROM message_scans WHERE message_id = $1', [id]);
  await stack.sql(`UPDATE files SET scan = $2, scan_finding = 'no-answer', scan_attempts = 3 WHERE message_id = $1`, [
    id,
    scan,
  ]);
  return id;
}

it('has unscannable files scanned again, and the history tells of it', async () => {
  const id = await letter('unscannable');
  expect(run(['--municipality', ODENSKOV, id])).toMatchObject({
    status: 0,
    stdout: `${id}: 1 file is scanned again.\n`,
  });
  const { documents, history } = await read(stack, id);
  expect(documents.flatMap(({ files }) => files)).toMatchObject([{ scan: 'waiting', scanFinding: null }]);
  expect(history.at(-1)).toMatchObject({ action: 'scan-asked' });
  expect(
    await stack.sql(
      `SELECT f.scan_attempts AS attempts, s.message_id IS NOT NULL AS "isDue" FROM files f
       LEFT JOIN message_scans s USING (message_id) WHERE f.message_id = $1`,
      [id],
    ),
  ).toEqual([{ attempts: 0, isDue: true }]);
  expect(
    await stack.sql(`SELECT actor, result FROM audit_events WHERE message_id = $1 AND action = 'scan-asked'`, [id]),
  ).toEqual([{ actor: 'scan-again', result: 'done' }]);
});

it.each(['clean', 'infected'])('leaves a file as it is that is %s', async (scan) => {
  const id = await letter(scan);
  expect(run(['--municipality', ODENSKOV, id])).toMatchObject({
    status: 1,
    stdout: `${id}: no such message, or none of its files is unscannable.\n`,
  });
  expect(await stack.sql('SELECT scan FROM files WHERE message_id = $1', [id])).toEqual([{ scan }]);
});

it.each([
  ['no municipality', [randomUUID()], /^Name the municipality/],
  ['no message', ['--municipality', ODENSKOV], /^Name at least one message/],
  ['what is no id', ['--municipality', ODENSKOV, 'brev-1'], /^A message is named by its id/],
])('says what is wrong with %s', (_what, args, error) => {
  expect(run(args)).toMatchObject({ status: 1, stderr: expect.stringMatching(error) });
});

it('does nothing while files are not scanned', async () => {
  const id = await letter('unscannable');
  expect(run(['--municipality', ODENSKOV, id], { CLAMD_URL: '' })).toMatchObject({
    status: 1,
    stderr: expect.stringMatching(/^Files are not scanned here/),
  });
});
