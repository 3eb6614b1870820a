import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { SECOND } from '@indbakke/shared/config';
import { openStore, type Store } from '@indbakke/shared/store';
import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from 'vitest';
import { type DistributionService, startDistributionService } from '../../../infra/src/testkit/distribution-service.js';
import { startTestStack, type TestStack } from '../../../infra/src/testkit/stack.js';
import { change, expectProblem, read } from '../../../shared/test/inbox/support.js';
import { createSendReceiptHandler } from '../src/sf2900/receipts/send-receipt.js';
import { type DistributionClient, openDistributionClient } from '../src/sf2900/service/client.js';
import { dueReceipts, takeDocument } from './support/receipts.js';

// @module-tag long

// Whenever the process that sends a receipt is killed, the sender is told, and the message says so once.

const SENDER = fileURLToPath(new URL('./support/receipt-sender.mjs', import.meta.url));

let stack: TestStack;
let store: Store;
let service: DistributionService;
beforeAll(async () => {
  stack = await startTestStack();
  store = openStore({ url: stack.serviceUrl, connections: 2, name: 'receipt-crash' });
});
afterAll(async () => {
  await store.close();
  await stack.close();
});
beforeEach(async () => {
  service = await startDistributionService();
});
afterEach(() => service.close());

/** @returns the signal that the process died of */
async function killAt(point: string): Promise<string | null> {
  const child = fork(SENDER, [service.url, point], {
    env: { ...process.env, ...stack.env },
    execArgv: [],
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
  });
  const [, signal] = (await once(child, 'exit')) as [number | null, NodeJS.Signals | null];
  return signal;
}

const SILENT = { info() {}, warn() {}, error() {}, debug() {} };

// A process takes seconds to load on a busy machine.
const SLOW = 60_000;

async function reject(): Promise<string> {
  const { id } = await takeDocument(stack);
  await change(stack, 'POST', `${id}/rejection`, {
    version: 1,
    body: { reason: 'unwanted', explanation: 'Reklame' },
  });
  return id;
}

/** Sends what is due so many seconds from now. */
async function sendDue(seconds: number): Promise<void> {
  const client = (await openDistributionClient({
    SF2900_SERVICE_URL: service.url,
    SF2900_SERVICE_SECONDS: 10,
    SF2900_SERVICE_KEY_FILE: undefined,
    SF2900_SERVICE_CERTIFICATE_FILE: undefined,
    SF2900_SERVICE_CA_FILE: undefined,
  })) as DistributionClient;
  const send = createSendReceiptHandler({ store, log: SILENT, client });
  for (const job of await dueReceipts(store, new Date(Date.now() + seconds * SECOND))) await send(job);
}

it(
  'what a process took that was killed before the queue had it is due again in a minute',
  async () => {
    const id = await reject();
    expect(await killAt('due-taken')).toBe('SIGKILL');
    await sendDue(40);
    expect(service.calls).toEqual([]);
    await sendDue(60);
    expect(service.calls).toHaveLength(1);
    expect((await read(stack, id)).distribution?.receipts).toMatchObject([{ status: 'sent' }]);
  },
  SLOW,
);

it.each([
  ['receipt-claimed', 0],
  ['receipt-answered', 1],
])(
  'a process killed at %s has told the sender %i times; the next one tells it, and once the message says so',
  async (point, told) => {
    const id = await reject();

    expect(await killAt(point)).toBe('SIGKILL');

    expect(service.calls).toHaveLength(told);
    expect((await read(stack, id)).distribution?.receipts).toMatchObject([{ status: 'sending', attempts: 0 }]);
    await expectProblem(
      await stack.call('DELETE', `/incoming-documents/${id}/rejection`, { version: 2 }),
      409,
      'rejection-told',
    );

    await sendDue(3_600);
    expect(service.calls).toHaveLength(told + 1);
    expect(new Set(service.calls.map(({ envelope }) => envelope)).size).toBe(1);
    const { distribution, history } = await read(stack, id);
    expect(distribution?.receipts).toMatchObject([{ status: 'sent' }]);
    expect(history.filter(({ action }) => action === 'receipt-sent')).toHaveLength(1);
  },
  SLOW,
);
