import { afterAll, beforeAll, expect, it } from 'vitest';
import { type DistributionService, startDistributionService } from '../../../infra/src/testkit/distribution-service.js';
import { setUp, startTestStack, type TestStack } from '../../../infra/src/testkit/stack.js';
import { change, read } from '../../../shared/test/inbox/support.js';
import { takeDocument } from './support/receipts.js';
import { startReceiverProcess } from './support/receiver-process.js';

// @module-tag long

// Receipts sent by the services themselves: their sweeps, their queue and their workers.

let service: DistributionService;
let stack: TestStack;
beforeAll(async () => {
  service = await startDistributionService();
  stack = await startTestStack({ SF2900_SERVICE_URL: service.url, SF2900_RECEIPT_DELAY_SECONDS: '0' });
});
afterAll(async () => {
  await stack.close();
  await service.close();
});

const reject = (id: string) =>
  change(stack, 'POST', `${id}/rejection`, { version: 1, body: { reason: 'unwanted', explanation: 'Reklame' } });
const stateOf = async (id: string) => (await read(stack, id)).distribution?.receipts.map(({ status }) => status);

it('the services send a receipt by themselves, some seconds after the decision', async () => {
  const { id } = await takeDocument(stack);
  await reject(id);
  await expect.poll(() => stateOf(id), { timeout: 20_000 }).toEqual(['sent']);
  expect(service.calls).toHaveLength(1);
});

it('two receivers beside each other send each receipt once', async () => {
  const other = await startReceiverProcess(stack.env as Record<string, string>);
  const before = service.calls.length;
  const ids: string[] = [];
  for (let n = 0; n < 12; n += 1) ids.push((await takeDocument(stack)).id);
  for (const id of ids) await reject(id);
  for (const id of ids) await expect.poll(() => stateOf(id), { timeout: 20_000 }).toEqual(['sent']);
  expect(service.calls).toHaveLength(before + ids.length);
  expect(await other.stop()).toBe(0);
});

it('a receiver without the service takes documents, is ready, and warns that no receipts are sent', async () => {
  const setup = await setUp();
  const receiver = await startReceiverProcess({ ...setup.env, SF2900: 'on' } as Record<string, string>);
  const { id } = await takeDocument({ ...setup, url: receiver.url } as TestStack);
  expect(id).toBeTruthy();
  expect((await fetch(`${receiver.url}/readyz`)).status).toBe(200);
  const [warning] = receiver.lines.filter((line) => line.includes('"event":"receipts-not-sent"'));
  expect(JSON.parse(warning as string)).toMatchObject({ level: 'warn', setting: 'SF2900_SERVICE_URL' });
  await receiver.stop();
  await setup.close();
});
