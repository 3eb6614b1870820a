import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { describe, expect, test } from 'vitest';
import { startTestStack } from '../../../infra/src/testkit/stack.js';
import { writeMemo } from '../../../infra/src/testkit/write-memo.js';
import { binaryFile } from './support/memos.js';
import { startReceiverProcess } from './support/receiver-process.js';

const CALLS = 'fsync,fdatasync,rename,renameat,renameat2,read,recvfrom,recvmsg,write,writev,sendto,sendmsg';

interface Trace {
  /** Ends the tracing and gives the calls, in the order in which they were done. */
  stop(): Promise<string[]>;
}

/** Listens to a process’s system calls; the reason as text when that is not to be had here. */
async function trace(pid: number): Promise<Trace | string> {
  if (spawnSync('strace', ['-V']).status !== 0) return 'strace is not installed';
  const folder = await mkdtemp(join(tmpdir(), 'indbakke-trace-'));
  const file = join(folder, 'calls');
  const strace = spawn('strace', ['-f', '-yy', '-s', '300', '-e', `trace=${CALLS}`, '-o', file, '-p', String(pid)], {
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  const exited = once(strace, 'exit');
  let said = '';
  for await (const line of createInterface({ input: strace.stderr })) {
    said += `${line}\n`;
    if (/attached/.test(line)) {
      return {
        async stop() {
          strace.kill('SIGINT');
          await exited;
          const calls = wholeCalls((await readFile(file, 'utf8')).split('\n'));
          await rm(folder, { recursive: true });
          return calls;
        },
      };
    }
  }
  await rm(folder, { recursive: true });
  return `strace may not attach: ${said.trim()}`;
}

/** Calls that another thread's came between stand in two lines; each counts where it was done. */
function wholeCalls(lines: readonly string[]): string[] {
  const begun = new Map<string, string>();
  return lines.flatMap((line) => {
    const [, thread = '', call = ''] = /^(\d+) +(.*)$/.exec(line) ?? [];
    if (call.endsWith(' <unfinished ...>')) {
      begun.set(thread, call);
      return [];
    }
    return [call.startsWith('<...') ? `${begun.get(thread)} ${call}` : call];
  });
}

/** What a call means for a message. */
function meaningOf(call: string, postgresPort: string): string[] {
  if (/^f(data)?sync/.test(call)) {
    if (/\.part>/.test(call)) return ['content synced'];
    return /\/content\/[0-9a-f]{2}>/.test(call) ? ['folder synced'] : [];
  }
  if (call.startsWith('rename')) return ['content renamed'];
  if (call.includes(`:${postgresPort}]`)) {
    if (!call.includes('COMMIT')) return [];
    return /^re(ad|cv)/.test(call) ? ['committed'] : ['COMMIT sent'];
  }
  return /^(write|send)/.test(call) && call.includes('HTTP/1.1 200') ? ['receipt sent'] : [];
}

const CONTENT_DURABLE = ['content synced', 'content renamed', 'folder synced'];
const COMMITTED_AND_ANSWERED = ['COMMIT sent', 'committed', 'receipt sent'];

describe('the system calls of a message', () => {
  test('its content and folder to the disk, then the commit, then the receipt', async ({ skip }) => {
    expect(await callsFor(100_000, skip)).toEqual([...CONTENT_DURABLE, ...COMMITTED_AND_ANSWERED]);
  });

  test('the commit, then the receipt, when its content is small and stands with the rows', async ({ skip }) => {
    expect(await callsFor(10_000, skip)).toEqual(COMMITTED_AND_ANSWERED);
  });
});

async function callsFor(contentSize: number, skip: (why: string) => never): Promise<string[]> {
  const stack = await startTestStack();
  const receiver = await startReceiverProcess(stack.env);
  try {
    const deliver = () =>
      fetch(`${receiver.url}/sf1606/PostModtag`, {
        method: 'POST',
        headers: { 'content-type': 'application/xml' },
        body: writeMemo({ documents: [{ files: [binaryFile(contentSize)] }] }),
      });
    await deliver(); // opens the connections, so that what follows is one message and nothing else
    const tracing = await trace(receiver.pid);
    if (typeof tracing === 'string') {
      console.warn(`Skipped: ${tracing}`);
      return skip(tracing);
    }

    const answer = await deliver();

    const calls = await tracing.stop();
    const { port } = new URL(stack.serviceUrl);
    expect(answer.status).toBe(200);
    return calls.flatMap((call) => meaningOf(call, port));
  } finally {
    await receiver.stop();
    await stack.close();
  }
}
