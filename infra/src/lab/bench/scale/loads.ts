import { performance } from 'node:perf_hooks';
import { setTimeout as delay } from 'node:timers/promises';
import type pg from 'pg';
import type { Child } from '../child.js';
import { Connection } from '../client.js';
import { percentile } from '../measure.js';
import { type Copies, REST_PATH } from '../memos.js';

const SENDERS = 32;
const READERS = 8;
const LIST = '/api/v1/incoming-documents?status=pending&limit=50';
const SUGGESTED_WITHIN_MS = 120_000;

/** @returns receipts a second, of senders that each wait for the receipt, spread over the receivers */
export async function receiptsOf(receivers: readonly Child[], letters: Copies, seconds: number): Promise<number> {
  const took = await repeatedly(receivers, SENDERS, seconds, async (connection) => {
    await connection.post(REST_PATH, letters.next());
  });
  return took.length / seconds;
}

export interface Lists {
  readonly perSecond: number;
  readonly p95: number;
}

/** The list of an inbox, asked for by several at once, spread over the journalers. */
export async function listsOf(journalers: readonly Child[], token: string, seconds: number): Promise<Lists> {
  const headers = `Authorization: Bearer ${token}\r\n`;
  const took = await repeatedly(journalers, READERS, seconds, async (connection) => {
    const { status } = await connection.call('GET', LIST, headers);
    if (status !== 200) throw new Error(`A list was answered ${status}.`);
  });
  return { perSecond: took.length / seconds, p95: percentile(took, 95) };
}

/** @returns how long each took, in ms */
async function repeatedly(
  servers: readonly Child[],
  connections: number,
  seconds: number,
  ask: (connection: Connection) => Promise<void>,
): Promise<number[]> {
  const took: number[] = [];
  const end = performance.now() + seconds * 1_000;
  const one = async (_: unknown, n: number) => {
    const connection = await Connection.open((servers[n % servers.length] as Child).url);
    for (let began = performance.now(); began < end; began = performance.now()) {
      await ask(connection);
      took.push(performance.now() - began);
    }
    connection.close();
  };
  await Promise.all(Array.from({ length: connections }, one));
  return took;
}

/** Waits until no message waits for a suggestion. */
export async function untilSuggested(client: pg.Client): Promise<void> {
  const left = `SELECT FROM messages WHERE suggestion_run_at IS NULL AND status = 'pending' LIMIT 1`;
  const limit = Date.now() + SUGGESTED_WITHIN_MS;
  while (((await client.query(left)).rowCount ?? 0) > 0) {
    if (Date.now() > limit) throw new Error('After two minutes some messages still have no suggestion run.');
    await delay(50);
  }
}

/** Waits for the suggestions of a backlog. @returns how many a second, from the first commit, which does not count, to the last */
export async function suggestionsOf(client: pg.Client, ids: readonly string[]): Promise<number> {
  await untilSuggested(client);
  const { rows } = await client.query<{ rate: number }>(
    `SELECT (count(*) FILTER (WHERE at > first) / extract(epoch FROM max(at) - min(first)))::float AS rate
     FROM (SELECT pg_xact_commit_timestamp(xmin) AS at, min(pg_xact_commit_timestamp(xmin)) OVER () AS first
           FROM messages WHERE id = ANY ($1)) AS commits`,
    [ids],
  );
  return rows[0]?.rate ?? Number.NaN;
}
