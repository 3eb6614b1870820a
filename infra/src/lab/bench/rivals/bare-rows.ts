// Rival (c), the limit of a Node server that inserts the rows of a message and answers when they are committed: all waiting
// messages share one statement (group commit). It reads only the id, stores no content and enqueues no job.

import { createServer } from 'node:http';
import pg from 'pg';
import { listenAndReport } from '../report-ready.js';
import { insertRows, readSample } from './rows.js';

// Measured: one leaves the database idle while the next batch gathers; with four the batches are too small.
const CONCURRENT_BATCHES = 2;
const MAX_BATCH = 64;

interface Waiting {
  readonly externalId: string;
  done(): void;
  failed(error: unknown): void;
}

const connections = await Promise.all(
  Array.from({ length: CONCURRENT_BATCHES }, async () => {
    const client = new pg.Client({ connectionString: process.env.DATABASE_OWNER_URL });
    await client.connect();
    return client;
  }),
);
const sample = await readSample(connections[0] as pg.Client);
const idle = [...connections];
const waiting: Waiting[] = [];

async function commitWaiting(): Promise<void> {
  if (waiting.length === 0) return;
  const client = idle.pop();
  if (!client) return;
  const batch = waiting.splice(0, MAX_BATCH);
  try {
    await insertRows(
      client,
      sample,
      batch.map(({ externalId }) => externalId),
    );
    for (const { done } of batch) done();
  } catch (error) {
    for (const { failed } of batch) failed(error);
  }
  idle.push(client);
  void commitWaiting();
}

const server = createServer((req, res) => {
  const chunks: Buffer[] = [];
  req.on('data', (chunk: Buffer) => chunks.push(chunk));
  req.on('end', () => {
    const xml = Buffer.concat(chunks).toString('latin1');
    waiting.push({
      externalId: /messageUUID>([^<]+)</.exec(xml)?.[1] ?? '',
      done() {
        const body = '{"receiptStatus":"COMPLETED"}';
        res.writeHead(200, { 'content-type': 'application/json', 'content-length': body.length }).end(body);
      },
      failed(error) {
        const body = String(error);
        res.writeHead(500, { 'content-length': Buffer.byteLength(body) }).end(body);
      },
    });
    setImmediate(() => void commitWaiting()); // includes what arrives in the same turn of the event loop
  });
});
await listenAndReport(server);
