import { setTimeout as delay } from 'node:timers/promises';
import type pg from 'pg';
import { EXAMPLE_MUNICIPALITY } from '../../../local/example-municipality.js';
import { Connection } from '../client.js';
import { median, millisecondsOf } from '../measure.js';
import { REST_PATH, replyCopies } from '../memos.js';

/** The running services, with access to the measured municipality. */
export interface Scene {
  readonly url: string;
  /** Of a caseworker with every role. */
  readonly token: string;
  /** Connected as the owner. */
  readonly client: pg.Client;
  /** Processor time of the services and of PostgreSQL so far, in ms. */
  cpuMs(): number;
}

/** The cost of one operation. */
export interface Cost {
  /** Median. */
  readonly milliseconds: number;
  /** Processor time of services and PostgreSQL, in ms; NaN when it cannot be separated. */
  readonly cpu: number;
  /** 8 KB pages of our tables that PostgreSQL touched, cached or not; NaN when it cannot be separated. */
  readonly blocks: number;
}

export interface Costs {
  /** Median of one round trip of `SELECT 1`, which other work on the machine slows as well. */
  readonly yardstick: number;
  readonly of: ReadonlyMap<string, Cost>;
}

// Polling touches some blocks, which are counted with the intake.
const POLL_MS = 20;

export const INTAKE = 'intake';
export const SUGGESTION = 'suggestion';
export const OPERATIONS = [INTAKE, SUGGESTION, 'list page', 'one message', 'journalization', 'rejection'] as const;

/** Runs each operation `times` times, one after the other. */
export async function costsOf(scene: Scene, times: number): Promise<Costs> {
  const { client } = scene;
  const yardsticks: number[] = [];
  const costs = new Map<string, Cost>();
  const warmUps = Math.ceil(times / 10);
  const needed = warmUps + times + 1; // messages per operation
  const measure = async (name: string, work: () => Promise<number>) => {
    for (let time = 0; time < warmUps; time += 1) await work(); // plans, pools, compiled code
    const [blocksBefore, cpuBefore] = [await blocksTouched(client), scene.cpuMs()];
    const milliseconds: number[] = [];
    for (let time = 0; time < times; time += 1) {
      yardsticks.push(await millisecondsOf(() => client.query('SELECT 1')));
      milliseconds.push(await work());
    }
    const cpu = (scene.cpuMs() - cpuBefore) / times;
    // A connection reports its counts at the end of a transaction, at most once a second.
    await delay(1_100);
    await work();
    const blocks = ((await blocksTouched(client)) - blocksBefore) / (times + 1);
    costs.set(name, { milliseconds: median(milliseconds), cpu, blocks });
  };

  const delivered: string[] = [];
  const answered = await someOf(client, 'SELECT message_uuid AS id FROM sent_messages', needed);
  const connection = await Connection.open(scene.url);
  await measure(INTAKE, () => deliver({ ...scene, connection }, answered.pop() ?? '', delivered));
  connection.close();
  costs.set(SUGGESTION, {
    milliseconds: median(await suggestionTimes(client, delivered)),
    cpu: Number.NaN,
    blocks: Number.NaN,
  });

  await measure('list page', () => timed(scene, 'GET', '?status=pending&limit=50'));

  const done = await someOf(client, `SELECT id FROM messages WHERE status = 'journalized'`, needed);
  await measure('one message', () => timed(scene, 'GET', `/${done.pop()}`));

  const pending = await someOf(client, `SELECT id FROM messages WHERE status = 'pending' AND version = 2`, 2 * needed);
  await measure('journalization', () => timed(scene, 'POST', `/${pending.pop()}/journalization`, { caseIds: ['C0'] }));
  await measure('rejection', () =>
    timed(scene, 'POST', `/${pending.pop()}/rejection`, { reason: 'unwanted', explanation: 'Reklame' }),
  );
  return { yardstick: median(yardsticks), of: costs };
}

/** Random ids from a query, of the measured municipality. */
async function someOf(client: pg.Client, select: string, count: number): Promise<string[]> {
  const { rows } = await client.query<{ id: string }>(
    `SELECT id FROM (${select} ${select.includes('WHERE') ? 'AND' : 'WHERE'} municipality = $1) AS all_of_them ORDER BY random() LIMIT $2`,
    [EXAMPLE_MUNICIPALITY.cvr, count],
  );
  return rows.map(({ id }) => id);
}

/** Delivers a reply and waits for its suggestion, so that deliveries do not overlap. @returns ms to the receipt */
async function deliver(
  { connection, client }: Scene & { readonly connection: Connection },
  answers: string,
  delivered: string[],
): Promise<number> {
  const memo = replyCopies(answers).next();
  let messageUuid = '';
  const milliseconds = await millisecondsOf(async () => {
    const { body } = await connection.post(REST_PATH, memo);
    messageUuid = (JSON.parse(body) as { messageUUID: string }).messageUUID;
  });
  delivered.push(messageUuid);
  for (const end = Date.now() + 60_000; Date.now() < end; await delay(POLL_MS)) {
    const { rowCount } = await client.query(
      `SELECT FROM messages WHERE municipality = $1 AND channel = 'sf1606' AND external_id = $2 AND suggestion_run_at IS NOT NULL`,
      [EXAMPLE_MUNICIPALITY.cvr, messageUuid],
    );
    if (rowCount === 1) return milliseconds;
  }
  throw new Error('After a minute a message still has no suggestion run.');
}

/** From the commit of a message to that of its suggestion, in ms. */
async function suggestionTimes(client: pg.Client, externalIds: readonly string[]): Promise<number[]> {
  const { rows } = await client.query<{ milliseconds: number }>(
    `SELECT extract(epoch FROM pg_xact_commit_timestamp(m.xmin) - pg_xact_commit_timestamp(e.xmin))::float * 1000 AS milliseconds
     FROM messages m JOIN events e ON e.message_id = m.id AND e.version = 1
     WHERE m.municipality = $1 AND m.channel = 'sf1606' AND m.external_id = ANY ($2)`,
    [EXAMPLE_MUNICIPALITY.cvr, externalIds],
  );
  return rows.map(({ milliseconds }) => milliseconds);
}

/** @param path below /incoming-documents; changes use version 2, which every filled pending message has */
async function timed({ url, token }: Scene, method: string, path: string, body?: object): Promise<number> {
  return millisecondsOf(async () => {
    const answer = await fetch(`${url}/api/v1/incoming-documents${path}`, {
      method,
      headers: {
        authorization: `Bearer ${token}`,
        ...(body && { 'content-type': 'application/json', 'if-match': '"2"' }),
      },
      ...(body && { body: JSON.stringify(body) }),
    });
    const text = await answer.text();
    if (!answer.ok) throw new Error(`${method} ${path} answered ${answer.status}: ${text.slice(0, 300)}`);
  });
}

async function blocksTouched(client: pg.Client): Promise<number> {
  const { rows } = await client.query<{ blocks: number }>(
    `SELECT sum(heap_blks_hit + heap_blks_read + coalesce(idx_blks_hit + idx_blks_read, 0)
       + coalesce(toast_blks_hit + toast_blks_read + tidx_blks_hit + tidx_blks_read, 0))::float AS blocks
     FROM pg_statio_all_tables WHERE schemaname IN ('public', 'audit_months')`,
  );
  return rows[0]?.blocks ?? Number.NaN;
}
