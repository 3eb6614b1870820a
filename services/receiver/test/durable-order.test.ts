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

// @module-tag long

const CALLS = 'fsync,fdatasync,rename,renameat,renameat2,read,recvfrom,recvmsg,write,writev,sendto,sendmsg';

interface Trace {
  /** Ends the tracing. @returns the calls, in order of completion */
  stop(): Promise<string[]>;
}

/** Traces a process’s system calls. @returns the reason, as text, when that is impossible here */
async function trace(pid: number): Promise<Trace | string> {
  if (spawnSync('strace', ['-V']).status !== 0) return 'strace is not installed';
  const folder = await mkdtemp(join(tmpdir(), 'indbakke-trace-'));
  const file = join(folder, 'calls');
  const strace = spawn('strace', ['-f', '-yy', '-s', '300', '-e', `trace=${CALLS}`, '-o', file, '-p', String(pid)], {
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  const exited = once(strace, 'exit');
  let output = '';
  for await (const line of createInterface({ input: strace.stderr })) {
    output += `${line}\n`;
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
  return `strace may not attach: ${output.trim()}`;
}

/** strace splits a call that another thread interrupts into two lines; it counts where it completes. */
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

/** What the calls of a message mean, in their order. Others commit too meanwhile, as the heartbeat does: their connections do not count. */
function meaningsOf(calls: readonly string[], postgresPort: string): string[] {
  const inserting = new Set<string>(); // sockets
  return calls.flatMap((call) => {
    if (/^f(data)?sync/.test(call)) {
      if (/\.part>/.test(call)) return ['content synced'];
      return /\/content\/[0-9a-f]{2}>/.test(call) ? ['folder synced'] : [];
    }
    if (call.startsWith('rename')) return ['content renamed'];
    if (call.includes(`:${postgresPort}]`)) {
      const [socket = ''] = /\d+<[^>]*>/.exec(call) ?? [];
      if (call.includes('insert-messages')) inserting.add(socket);
      if (!call.includes('COMMIT') || !inserting.has(socket)) return [];
      const isAnswer = /^re(ad|cv)/.test(call);
      if (isAnswer) inserting.delete(socket);
      return [isAnswer ? 'committed' : 'COMMIT sent'];
    }
    return /^(write|send)/.test(call) && call.includes('HTTP/1.1 200') ? ['receipt sent'] : [];
  });
}

const CONTENT_DURABLE = ['content synced', 'content renamed', 'folder synced'];
const COMMITTED_AND_ANSWERED = ['COMMIT sent', 'committed', 'receipt sent'];

describe('the system calls of a message', () => {
  test('sync content and folder, then commit, then send the receipt', async ({ skip }) => {
    expect(await callsFor(100_000, skip)).toEqual([...CONTENT_DURABLE, ...COMMITTED_AND_ANSWERED]);
  });

  test('commit, then send the receipt, when small content is in the database', async ({ skip }) => {
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
    await deliver(); // opens the connections, so that the trace has one message and nothing else
    const tracing = await trace(receiver.pid);
    if (typeof tracing === 'string') {
      console.warn(`Skipped: ${tracing}`);
      return skip(tracing);
    }

    const answer = await deliver();

    const calls = await tracing.stop();
    const { port } = new URL(stack.serviceUrl);
    expect(answer.status).toBe(200);
    return meaningsOf(calls, port);
  } finally {
    await receiver.stop();
    await stack.close();
  }
}
