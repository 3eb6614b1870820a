import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { expect, test } from 'vitest';

// The build: npm test builds first.
const SERVICE = new URL('../../dist/service/index.js', import.meta.url);

const PROGRAM = `
  import { once } from 'node:events';
  import { runUntilSignal } from '${SERVICE}';
  await runUntilSignal('slow', async () => {
    process.stdout.write('starting ');
    await once(process.stdin, 'data');
    return { url: '', close: async () => process.stdout.write('closed') };
  });
`;

test('a signal that comes while a process starts closes it when it has started', async () => {
  const child = spawn(process.execPath, ['--input-type=module', '--eval', PROGRAM]);
  let output = '';
  child.stdout.on('data', (bytes: Buffer) => {
    output += bytes;
  });
  await once(child.stdout, 'data');
  child.kill('SIGTERM');
  child.stdin.end('go on');
  const [status] = await once(child, 'close');
  expect({ status, output }).toEqual({ status: 0, output: 'starting closed' });
});
