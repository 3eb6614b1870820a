import { setTimeout as delay } from 'node:timers/promises';
import type pg from 'pg';
import { EXAMPLE_MUNICIPALITY } from '../../../local/example-municipality.js';
import { Connection } from '../client.js';
import { median, millisecondsOf } from '../measure.js';
import { REST_PATH, replyCopies } from '../memos.js';

/** The running services, seen from the municipality that is measured. */
export interface Scene {
  readonly url: string;
  /** Of a caseworker with every right. */
  readonly token: string;
  /** The owner's. */
  readonly client: pg.Client;
  /** Processor time of the services and of PostgreSQL so far, in ms. */
  cpuMs(): number;
}

/** What one thing costs. */
export interface Cost {
  /** Median, each time beside the yardstick. */
  readonly milliseconds: number;
  /** Processor time of the services and of PostgreSQL for each, in ms; not a number when it is not told apart. */
  readonly cpu: number;
  /** Pages of 8 KB that PostgreSQL touched for each in our tables, cached or not; not a number when it is not told apart. */
  readonly blocks: number;
}

export interface Costs {
  /** Median of one round trip of `SELECT 1`: what the machine does meanwhile hits it as well. */
  readonly yardstick: number;
  readonly of: ReadonlyMap<string, Cost>;
}

// Looking costs PostgreSQL some blocks, which are counted with the intake.
const SUGGESTION_OVERDUE_MS = 20;

export const INTAKE = 'intake';
export const SUGGESTION = 'suggestion';
export const OPERATIONS = [INTAKE, SUGGESTION, 'list page', 'one message', 'journalization', 'rejection'] as const;

/** Does each thing so many times, one after the other, and one kind after the other. */
export async function costsOf(scene: Scene, times: number): Promise<Costs> {
  const { client } = scene;
  const yardsticks: number[] = [];
  const costs = new Map<string, Cost>();
  const warmUps = Math.ceil(times / 10);
  const needed = warmUps + times + 1; // of each
  const measure = async (name: string, work: () => Promise<number>) => {
    for (let time = 0; time < warmUps; time += 1) await work(); // plans, pools, compiled code
    const [blocksBefore, cpuBefore] = [await blocksTouched(client), scene.cpuMs()];
    const milliseconds: number[] = [];
    for (let time = 0; time < times; time += 1) {
      yardsticks.push(await millisecondsOf(() => client.query('SELECT 1')));
      milliseconds.push(await work());
    }
    const cpu = (scene.cpuMs() - cpuBefore) / times;
    // A connection tells its counts at the end of a transaction, at most once a second.
    await delay(1_100);
    await work();
    const blocks = ((await blocksTouched(client)) - blocksBefore) / (times + 1);
    costs.set(name, { milliseconds: median(milliseconds), cpu, blocks });
  };

  const taken: string[] = [];
  const answered = await someOf(client, 'SELECT message_uuid AS id FROM sent_messages', needed);
  const connection = await Connection.open(scene.url);
  await measure(INTAKE, () => takeIn({ ...scene, connection }, answered.pop() ?? '', taken));
  connection.close();
  costs.set(SUGGESTION, {
    milliseconds: median(await suggestionTimes(client, taken)),
    cpu: Number.NaN,
    blocks: Number.NaN,
  });

  await measure('list page', () => timed(scene, 'GET', '?status=pending&limit=50'));

  const done = await someOf(client, `SELECT id FROM messages WHERE status = 'journalized'`, needed);
  await measure('one message', () => timed(scene, 'GET', `/${done.pop()}`));

  const pending = await someOf(client, `SELECT id FROM messages WHERE status = 'pending' AND version = 2`, 2 * needed);
  await measure('journalization', () => timed(scene, 'POST', `/${pending.pop()}/journalization`, { caseIds: ['C0'] }));
  await measure('rejection', () => timed(scene, 'POST', `/${pending.pop()}/rejection`, { reason: 'unwanted' }));
  return { yardstick: median(yardsticks), of: costs };
}

/** So many ids, spread over all that this gives for the municipality that is measured. */
async function someOf(client: pg.Client, select: string, count: number): Promise<string[]> {
  const { rows } = await client.query<{ id: string }>(
    `SELECT id FROM (${select} ${select.includes('WHERE') ? 'AND' : 'WHERE'} municipality = $1) AS all_of_them ORDER BY random() LIMIT $2`,
    [EXAMPLE_MUNICIPALITY.cvr, count],
  );
  return rows.map(({ id }) => id);
}

/** Delivers a reply, and waits for its suggestion too, so that the next one finds nothing under way. @returns ms to the receipt */
async function takeIn(
  { connection, client }: Scene & { readonly connection: Connection },
  answers: string,
  taken: string[],
): Promise<number> {
  const letter = replyCopies(answers).next();
  let messageUuid = '';
  const milliseconds = await millisecondsOf(async () => {
    const { body } = await connection.post(REST_PATH, letter);
    messageUuid = (JSON.parse(body) as { messageUUID: string }).messageUUID;
  });
  taken.push(messageUuid);
  for (const end = Date.now() + 60_000; Date.now() < end; await delay(SUGGESTION_OVERDUE_MS)) {
    const { rowCount } = await client.query(
      `SELECT FROM messages WHERE municipality = $1 AND channel = 'sf1606' AND external_id = $2 AND suggestion_run_at IS NOT NULL`,
      [EXAMPLE_MUNICIPALITY.cvr, messageUuid],
    );
    if (rowCount === 1) return milliseconds;
  }
  throw new Error('After a minute a message is still not looked at.');
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

/** @param path below that of the mail; a step is asked for at version 2, which every pending message is filled with */
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
