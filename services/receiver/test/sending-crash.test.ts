import { fork } from 'node:child_process';
import { once } from 'node:events';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type DistributionService, startDistributionService } from '../../../infra/src/testkit/distribution-service.js';
import { sendingOn } from '../../../infra/src/testkit/sending-on.js';
import { type FaultySftpServer, sftpEnv, startFaultySftpServer } from '../../../infra/src/testkit/sftp-server.js';
import { ODENSKOV, startTestStack, type TestStack } from '../../../infra/src/testkit/stack.js';
import { read } from '../../../shared/test/inbox/support.js';
import { ask, rejected, transactionOf } from './support/onward.js';

// @module-tag long

// Whenever the process that sends a message on is killed, it is sent on in the same transaction, and the message says so once. The
// stack itself cannot reach the servers: it has the rows only.

const DISTRIBUTOR = fileURLToPath(new URL('./support/distributor.mjs', import.meta.url));

let stack: TestStack;
let sftp: FaultySftpServer;
let service: DistributionService;
beforeAll(async () => {
  sftp = await startFaultySftpServer();
  service = await startDistributionService();
  stack = await startTestStack(sendingOn);
});
afterAll(async () => {
  await stack.close();
  await service.close();
  await sftp.close();
});

/** @returns how the process ended: the signal, or its exit code */
async function distributeBy(transactionId: string, run: number, point: string): Promise<string | number | null> {
  const child = fork(DISTRIBUTOR, [transactionId, ODENSKOV, String(run), point], {
    env: { ...process.env, ...stack.env, ...sftpEnv(sftp), SF2900_SERVICE_URL: service.url },
    execArgv: [],
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
  });
  const [code, signal] = (await once(child, 'exit')) as [number | null, NodeJS.Signals | null];
  return signal ?? code;
}

// Two processes take seconds to load on a busy machine.
const SLOW = 60_000;

it.each([
  ['distribution-uploaded', 'waiting', 0],
  ['distribution-noted', 'uploaded', 0],
  ['distribution-told', 'uploaded', 1],
])(
  'a process killed at %s leaves it %s, told %i times; the next one sends it, and once the message says so',
  async (point, status, told) => {
    const before = service.calls.length;
    const id = await rejected(stack);
    await ask(stack, id);
    const transactionId = await transactionOf(stack, id);
    // A run of its own, which the sweep of the stack does not take yet.
    await stack.sql(
      `UPDATE onward_distributions SET run = 100, next_enqueue_at = now() + interval '1 minute' WHERE id = $1`,
      [transactionId],
    );

    expect(await distributeBy(transactionId, 100, point)).toBe('SIGKILL');

    // Nor later: what is being sent is not due.
    const due = await stack.sql(
      `SELECT FROM onward_distributions WHERE id = $1 AND next_enqueue_at < now() + interval '1 hour'`,
      [transactionId],
    );
    expect(due).toEqual([]);
    expect((await read(stack, id)).sentOn).toMatchObject({ status, technicalReceipt: null });
    const files = async () => (await readdir(join(sftp.folder, 'OUT'))).filter((name) => name.includes(transactionId));
    expect(await files()).toHaveLength(1);
    const calls = () => service.calls.slice(before);
    expect(calls()).toHaveLength(told);

    expect(await distributeBy(transactionId, 100, 'none')).toBe(0);

    expect(calls()).toHaveLength(told + 1);
    expect(new Set(calls().map(({ envelope }) => envelope)).size).toBe(1);
    expect(await files()).toHaveLength(1);
    const { sentOn, history } = await read(stack, id);
    expect(sentOn?.status).toBe('sent');
    expect(history.filter(({ action }) => action === 'distribution-sent')).toHaveLength(1);
  },
  SLOW,
);
