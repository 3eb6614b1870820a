import { isWithin, NightlyWindow } from '@indbakke/shared/danish-time';
import { scrub } from '@indbakke/shared/scrub';
import { migrate, withMaintenance } from '@indbakke/shared/store';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startTestStack, type TestStack } from '../../../infra/src/testkit/stack.js';
import { textDocument } from '../../../infra/src/testkit/write-memo.js';
import { deliverMemo } from '../../../shared/test/inbox/support.js';
import { caseworker, deleteNow, deliverAndDelete, killedAt } from './support/deletion.js';

// @module-tag long

let stack: TestStack;

beforeAll(async () => {
  stack = await startTestStack();
});

afterAll(() => stack.close());

const run = (mayGoOn = () => true) =>
  withMaintenance({ url: stack.serviceUrl, name: 'test-scrub' }, (connection) => scrub(connection, { mayGoOn }));

const TABLES = 'SELECT scrub.tables()';

const leftBehind = () =>
  stack.sql(
    `SELECT relname FROM pg_class WHERE relnamespace = 'scrub'::regnamespace AND relname NOT IN ('marks', 'rewrites', 'rewrites_pkey')
     UNION ALL SELECT tgname FROM pg_trigger WHERE tgname = 'scrub_repeat'
     UNION ALL SELECT table_name FROM scrub.rewrites UNION ALL SELECT table_name FROM scrub.marks`,
  );

/** All that PostgreSQL knows of the scrubbed tables, but for what a new table has anew. */
const CATALOG = `
  SELECT c.relname, c.relkind, c.relowner::regrole, c.relrowsecurity, c.relforcerowsecurity, c.relacl::text, c.reloptions,
    (SELECT json_agg(row_to_json(a) ORDER BY a.attname) FROM (
      SELECT attname, atttypid::regtype, atttypmod, attnotnull, attstorage, attcompression, attstattarget, attidentity, attgenerated,
        attacl::text, pg_get_expr(d.adbin, d.adrelid) AS default
      FROM pg_attribute LEFT JOIN pg_attrdef d ON d.adrelid = attrelid AND d.adnum = attnum
      WHERE attrelid = c.oid AND attnum > 0 AND NOT attisdropped) AS a) AS columns,
    (SELECT json_agg(row_to_json(k) ORDER BY k.conname) FROM (
      SELECT conname, contype, convalidated, pg_get_constraintdef(oid) AS definition FROM pg_constraint
      WHERE conrelid = c.oid OR confrelid = c.oid) AS k) AS constraints,
    (SELECT json_agg(pg_get_indexdef(indexrelid) || (SELECT coalesce(string_agg(a.attnum || ':' || a.attstattarget, ','), '')
      FROM pg_attribute a WHERE a.attrelid = indexrelid AND a.attstattarget >= 0) ORDER BY pg_get_indexdef(indexrelid))
     FROM pg_index WHERE indrelid = c.oid) AS indexes,
    (SELECT json_agg(pg_get_triggerdef(oid) || tgenabled::text ORDER BY tgname) FROM pg_trigger
     WHERE tgrelid = c.oid AND NOT tgisinternal) AS triggers,
    c.relreplident, c.relpersistence, c.reltablespace, obj_description(c.oid, 'pg_class') AS comment,
    (SELECT reloptions FROM pg_class toast WHERE toast.oid = c.reltoastrelid) AS toast_options,
    (SELECT json_agg(pg_get_statisticsobjdef(oid) ORDER BY stxname) FROM pg_statistic_ext WHERE stxrelid = c.oid) AS statistics,
    (SELECT json_agg(pg_get_ruledef(oid) ORDER BY rulename) FROM pg_rewrite WHERE ev_class = c.oid) AS rules,
    (SELECT json_agg(row_to_json(p) ORDER BY p.policyname) FROM pg_policies p
     WHERE p.tablename = c.relname AND p.schemaname = 'public') AS policies
  FROM pg_class c WHERE c.relnamespace = 'public'::regnamespace AND c.relname IN (${TABLES})
  ORDER BY c.relname`;

describe('a scrub', () => {
  const state = async () => {
    const catalog = await stack.sql<{ relname: string }>(CATALOG);
    const rows = await Promise.all(
      catalog.map(({ relname }) => stack.sql(`SELECT to_jsonb(t) FROM ${relname} t ORDER BY 1`)),
    );
    return { catalog, rows };
  };
  const oids = () =>
    stack.sql<{ relname: string; oid: number }>(
      `SELECT relname, oid FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relname IN (${TABLES}) ORDER BY relname`,
    );

  it('writes every table anew, and leaves all of its rights, rules, keys, indexes and rows as they were', async () => {
    await deliverAndDelete(stack);
    await deliverMemo(stack);
    await stack.sql(`INSERT INTO scrub.marks ${TABLES}`);
    const [before, oidsBefore] = [await state(), await oids()];

    expect(await run()).toMatchObject({ tables: before.catalog.length, left: 0, walSegments: expect.any(Number) });
    expect(await state()).toEqual(before);
    const same = (await oids()).filter(({ oid }, at) => oid === oidsBefore[at]?.oid);
    expect(same).toEqual([]);
    expect(await leftBehind()).toEqual([]);
  });

  it('does nothing when nothing was deleted since the last one', async () => {
    await deliverAndDelete(stack);
    expect(await run()).toMatchObject({ left: 0 });
    await deliverMemo(stack);
    expect(await run()).toBeUndefined();
  });

  it('does nothing while another one runs', async () => {
    await deliverAndDelete(stack);
    const [one, other] = await Promise.all([run(), run()]);
    expect([one, other].filter((done) => done !== undefined)).toHaveLength(1);
  });

  it('keeps what is delivered, changed and deleted while it runs', async () => {
    await deliverAndDelete(stack);
    const client = await caseworker(stack);
    const kept = await Promise.all(Array.from({ length: 10 }, () => deliverMemo(stack)));
    let isDone = false;
    const running = run().finally(() => {
      isDone = true;
    });
    for (const id of kept.slice(0, 5)) await deleteNow(client, { id, version: 1 });
    const rejected = await client.reject(
      { id: kept[5] as string, version: 1 },
      { reason: 'other', explanation: 'Under en rensning' },
    );
    while (!isDone) kept.push(await deliverMemo(stack, { documents: [textDocument('Sendt under en rensning')] }));
    await running;

    const details = async (ids: string[]) =>
      (
        await stack.sql<{ id: string }>('SELECT message_id AS id FROM message_details WHERE message_id = ANY ($1)', [
          ids,
        ])
      ).length;
    expect(await details(kept.slice(0, 5))).toBe(0);
    expect(await details(kept.slice(5))).toBe(kept.length - 5);
    const [words] = await stack.sql('SELECT status FROM message_words WHERE message_id = $1', [rejected.id]);
    expect(words).toEqual({ status: 'rejected' });
    for (const id of kept.slice(6)) expect((await client.zip(id)).length).toBeGreaterThan(0);
    await run();
    expect(await leftBehind()).toEqual([]);
  });

  it.each(['scrub-begun', 'scrub-copied', 'scrub-swapped', 'scrub-rewritten'])(
    'that was killed at %s is finished by the next one',
    async (point) => {
      await deliverAndDelete(stack);
      await deliverMemo(stack);
      const before = await state();
      expect(await killedAt(stack, 'scrub', point)).toBe('SIGKILL');
      await deliverAndDelete(stack);
      expect(await run()).toMatchObject({ left: 0 });
      expect((await state()).catalog).toEqual(before.catalog);
      expect(await leftBehind()).toEqual([]);
    },
    60_000, // a process of its own
  );

  it('that is unfinished is given up when the database is migrated, and begun anew by the next one', async () => {
    await deliverAndDelete(stack);
    const before = await state();
    expect(await killedAt(stack, 'scrub', 'scrub-copied')).toBe('SIGKILL');
    const lastMigration = '20261206060000_ledger_of_content_removals'; // may be applied twice
    await stack.sql('DELETE FROM _prisma_migrations WHERE migration_name = $1', [lastMigration]);
    expect(await migrate(stack.ownerUrl)).toEqual([lastMigration]);
    expect(await stack.sql('SELECT FROM scrub.rewrites')).toEqual([]);
    expect((await state()).catalog).toEqual(before.catalog);
    expect(await run()).toMatchObject({ left: 0 });
    expect((await state()).catalog).toEqual(before.catalog);
    expect(await leftBehind()).toEqual([]);
  }, 60_000); // a process of its own

  it('leaves to the next one what it has no time for', async () => {
    await deliverAndDelete(stack);
    let steps = 0;
    const stopped = await run(() => ++steps < 4);
    expect(stopped?.left).toBeGreaterThan(0);
    expect(await run()).toMatchObject({ left: 0 });
  });

  it('gives up a lock that somebody else keeps, before intake waits for a second, and tries again', async () => {
    await deliverAndDelete(stack);
    const reader = new pg.Client({ connectionString: stack.ownerUrl });
    await reader.connect();
    await reader.query('BEGIN; SELECT FROM message_keys LIMIT 1');
    let isReading = true;
    const running = run().finally(() => expect(isReading).toBe(false));
    for (const _ of Array(20)) await deliverMemo(stack);
    isReading = false;
    await reader.query('COMMIT');
    await reader.end();
    expect(await running).toMatchObject({ left: 0 });
  });
});

it('the services may call the scrub, but not touch its schema, nor have another table written anew', async () => {
  const asWorker = (statement: string) =>
    withMaintenance({ url: stack.serviceUrl, name: 'test-scrub' }, (connection) => connection.query(statement));
  await expect(asWorker('SELECT FROM scrub.marks')).rejects.toThrow('permission denied for schema scrub');
  await expect(asWorker(`SELECT scrub_begin('messages')`)).rejects.toThrow('no scrubbed table: messages');
  await expect(asWorker(`SELECT scrub_begin('audit_events')`)).rejects.toThrow('no scrubbed table');
});

it('every table with a wrapped key or rows of a message is scrubbed, and knows its removals', async () => {
  const tables = await stack.sql(
    `SELECT t.relname FROM pg_class t JOIN pg_attribute a ON a.attrelid = t.oid
     WHERE t.relkind = 'r' AND t.relnamespace = 'public'::regnamespace AND a.attname ~ 'wrapped_key$|^container$|^original$|^words$'
       AND (t.relname NOT IN (${TABLES}) OR NOT EXISTS (SELECT FROM pg_trigger WHERE tgrelid = t.oid AND tgname = 'note_removal'))`,
  );
  expect(tables).toEqual([]);
});

it('there are no statistics of values of citizens, files or keys', async () => {
  await deliverMemo(stack, { subject: 'Statistikordet' });
  await stack.sql('ANALYZE');
  const columns = await stack.sql<{ column: string }>(
    `SELECT DISTINCT attname AS column FROM pg_stats WHERE schemaname = 'public' AND tablename IN (${TABLES}) ORDER BY 1`,
  );
  const names = columns.map(({ column }) => column);
  expect(names).toEqual(expect.arrayContaining(['message_id', 'municipality', 'status']));
  for (const name of [
    'subject',
    'number',
    'sender_id',
    'file_name',
    'wrapped_key',
    'original',
    'value',
    'label',
    'sha256',
  ])
    expect(names).not.toContain(name);
});

describe('the window', () => {
  it.each([
    ['01:00-05:00', '2026-11-02T00:30:00Z', true],
    ['01:00-05:00', '2026-11-02T04:00:00Z', false],
    ['01:00-05:00', '2026-07-02T00:30:00Z', true],
    ['22:00-04:00', '2026-11-02T22:00:00Z', true],
    ['22:00-04:00', '2026-11-02T12:00:00Z', false],
    ['off', '2026-11-02T02:00:00Z', false],
  ])('%s at %s: %s, by Danish clocks', (window, at, is) => {
    expect(isWithin(window, new Date(at))).toBe(is);
  });

  it.each(['01:00', '1:00-5:00', '24:00-05:00', ''])('%j is refused', (text) => {
    expect(NightlyWindow.safeParse(text).success).toBe(false);
  });
});
