// Rival (c), the limit of a Node server that inserts the rows of a message and answers when they are committed: all that
// waits goes in one statement (group commit). It reads nothing but the id, keeps no content, enqueues nothing.

import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import pg from 'pg';
import { reportReady } from '../report-ready.js';
import { insertRows, readSample } from './rows.js';

// Measured: one at a time leaves the database idle while the next group gathers; with four the groups are too small.
const SIDE_BY_SIDE = 2;
const MAX_GROUP = 64;

interface Waiting {
  readonly externalId: string;
  done(): void;
  failed(error: unknown): void;
}

const connections = await Promise.all(
  Array.from({ length: SIDE_BY_SIDE }, async () => {
    const client = new pg.Client({ connectionString: process.env.DATABASE_OWNER_URL });
    await client.connect();
    return client;
  }),
);
const sample = await readSample(connections[0] as pg.Client);
const idle = [...connections];
const waiting: Waiting[] = [];

async function commitWhatWaits(): Promise<void> {
  if (waiting.length === 0) return;
  const client = idle.pop();
  if (!client) return;
  const group = waiting.splice(0, MAX_GROUP);
  try {
    await insertRows(
      client,
      sample,
      group.map(({ externalId }) => externalId),
    );
    for (const { done } of group) done();
  } catch (error) {
    for (const { failed } of group) failed(error);
  }
  idle.push(client);
  void commitWhatWaits();
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
    setImmediate(() => void commitWhatWaits()); // what came in the same turn goes along
  });
});
server.listen(0, '127.0.0.1');
await once(server, 'listening');
await reportReady(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
