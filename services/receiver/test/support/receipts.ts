import { randomUUID } from 'node:crypto';
import type { Queues } from '@indbakke/shared/queue';
import type { Store } from '@indbakke/shared/store';
import { expect } from 'vitest';
import {
  type DistributionSpec,
  distribute,
  writeDistribution,
} from '../../../../infra/src/local/distribution/write-distribution.js';
import type { TestStack } from '../../../../infra/src/testkit/stack.js';
import type { SendReceiptData } from '../../src/sf2900/receipts/send-receipt.js';
import { sweepDueReceipts } from '../../src/sf2900/receipts/sweep.js';

/** Delivers a document. @returns the ids of the message and of the sender’s transaction */
export async function takeDocument(
  stack: TestStack,
  spec: DistributionSpec = {},
): Promise<{ readonly id: string; readonly transactionId: string }> {
  const transactionId = randomUUID();
  const response = await distribute(stack.url, writeDistribution({ ...spec, transactionId }));
  expect(response.status, await response.text()).toBe(200);
  const [row] = await stack.sql<{ id: string }>(
    'SELECT message_id AS id FROM distributions WHERE transaction_id = $1',
    [transactionId],
  );
  return { id: (row as { id: string }).id, transactionId };
}

/** The jobs of the receipts that are due then. */
export async function dueReceipts(store: Store, now: Date, delaySeconds = 0): Promise<SendReceiptData[]> {
  const jobs: SendReceiptData[] = [];
  const add = async (_definition: object, job: SendReceiptData) => jobs.push(job) > 0;
  const queues = { add } as unknown as Queues;
  await sweepDueReceipts({ store, queues }, { SF2900_RECEIPT_DELAY_SECONDS: delaySeconds }, now);
  return jobs;
}
