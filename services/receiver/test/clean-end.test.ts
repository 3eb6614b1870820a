import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { request } from 'node:http';
import { readConfig } from '@indbakke/shared/config';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Setup, setUp } from '../../../infra/src/testkit/stack.js';
import { textDocument, writeMemo } from '../../../infra/src/testkit/write-memo.js';

import { ReceiverConfig, startReceiver } from '../src/app.js';

let setup: Setup;
beforeAll(async () => {
  setup = await setUp();
});
afterAll(() => setup.close());

/** Begins an upload and stops in the middle. @returns a function that finishes it and gives the status */
async function beginUpload(url: string, messageUUID: string): Promise<() => Promise<number>> {
  const body = writeMemo({ messageUUID, documents: [textDocument('x'.repeat(500_000))] });
  const upload = request(`${url}/sf1606/PostModtag`, {
    method: 'POST',
    headers: { 'content-type': 'application/xml' },
  });
  const answered = once(upload, 'response');
  await new Promise((resolve) => upload.write(body.subarray(0, 300_000), resolve));
  return async () => {
    upload.end(body.subarray(300_000));
    const [response] = await answered;
    response.resume();
    return response.statusCode;
  };
}

test('a receiver that shuts down under load finishes its deliveries, accepts no others, and loses no receipt', async () => {
  const receiver = await startReceiver(readConfig(ReceiverConfig, setup.env));
  const receipts: string[] = [];
  const sendUntilRefused = async () => {
    for (;;) {
      const messageUUID = randomUUID();
      const answer = await fetch(`${receiver.url}/sf1606/PostModtag`, {
        method: 'POST',
        headers: { 'content-type': 'application/xml' },
        body: writeMemo({ messageUUID }),
      }).catch(() => undefined);
      if (!answer) return;
      if (answer.status === 200) receipts.push(messageUUID);
    }
  };
  const uploads = [randomUUID(), randomUUID(), randomUUID()];
  const finishUploads = await Promise.all(uploads.map((messageUUID) => beginUpload(receiver.url, messageUUID)));
  const senders = Array.from({ length: 8 }, sendUntilRefused);
  while (receipts.length < 20) await new Promise(setImmediate);

  const closed = receiver.close();
  await Promise.all(senders); // each goes on until its connection is refused
  const statuses = await Promise.all(finishUploads.map((finish) => finish()));
  await closed;

  expect(statuses).toEqual([200, 200, 200]);
  const rows = await setup.sql<{ external_id: string }>('SELECT external_id FROM messages');
  const stored = rows.map((row) => row.external_id);
  expect(stored).toEqual(expect.arrayContaining([...receipts, ...uploads]));
  expect(stored).toHaveLength(new Set(stored).size);
});
