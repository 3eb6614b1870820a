import { randomUUID } from 'node:crypto';
import { withMaintenance } from '@indbakke/shared/store';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { crashPointPassed } from '../../../infra/src/testkit/crash-points.js';
import { startTestStack, type TestStack } from '../../../infra/src/testkit/stack.js';
import { change, deliverMemo, list } from '../../../shared/test/inbox/support.js';
import { scrub } from '../src/scrub/scrub.js';
import { isWithin } from '../src/scrub/window.js';

let stack: TestStack;

beforeAll(async () => {
  stack = await startTestStack();
});

afterAll(() => stack.close());

const run = (mayGoOn = () => true) =>
  withMaintenance({ url: stack.serviceUrl, name: 'test-scrub' }, (connection) => scrub(connection, { mayGoOn }));

async function deleted(): Promise<string> {
  const id = await deliverMemo(stack);
  await change(stack, 'POST', `${id}/rejection`, { version: 1, body: { reason: 'unwanted' } });
  await change(stack, 'POST', `${id}/deletion`, { version: 2 });
  return id;
}

const TABLES = `SELECT t::text AS name FROM scrub.tables() AS t`;

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
      WHERE (conrelid = c.oid OR confrelid = c.oid)) AS k) AS constraints,
    (SELECT json_agg(pg_get_indexdef(indexrelid) || (SELECT coalesce(string_agg(a.attnum || ':' || a.attstattarget, ','), '')
      FROM pg_attribute a WHERE a.attrelid = indexrelid AND a.attstattarget >= 0) ORDER BY pg_get_indexdef(indexrelid))
     FROM pg_index WHERE indrelid = c.oid) AS indexes,
    (SELECT json_agg(pg_get_triggerdef(oid) ORDER BY tgname) FROM pg_trigger WHERE tgrelid = c.oid AND NOT tgisinternal) AS triggers,
    (SELECT json_agg(row_to_json(p) ORDER BY p.policyname) FROM pg_policies p WHERE p.tablename = c.relname AND p.schemaname = 'public') AS policies
  FROM pg_class c WHERE c.relnamespace = 'public'::regnamespace AND c.relname IN (SELECT scrub.tables())
  ORDER BY c.relname`;

it('writes every table anew, and leaves all of its rights, rules, keys, indexes and rows as they were', async () => {
  await deleted();
  await deliverMemo(stack, { documents: undefined });
  await stack.sql(`INSERT INTO scrub.marks ${TABLES}`);
  const state = async () => {
    const catalog = await stack.sql(CATALOG);
    const rows = await Promise.all(
      catalog.map(({ relname }) => stack.sql(`SELECT to_jsonb(t) FROM ${relname} t ORDER BY 1`)),
    );
    return { catalog, rows };
  };
  const oids = () =>
    stack.sql(`SELECT relname AS t, oid FROM pg_class WHERE relname IN (${TABLES}) AND relnamespace = 'public'::regnamespace ORDER BY 1`);
  const [before, oidsBefore] = [await state(), await oids()];

  const done = await run();
  expect(done).toMatchObject({ tables: before.catalog.length, left: 0, walSegments: expect.any(Number) });
  expect(await state()).toEqual(before);
  const after = await oids();
  expect(after.map(({ t }) => t)).toEqual(oidsBefore.map(({ t }) => t));
  expect(after.filter(({ oid }, at) => oid === oidsBefore[at]?.oid)).toEqual([]);
  expect(await stack.sql(`SELECT relname FROM pg_class WHERE relnamespace = 'scrub'::regnamespace AND relname NOT IN ('marks', 'rewrites', 'rewrites_pkey')`)).toEqual([]);
});

it('does nothing when nothing was deleted since the last one', async () => {
  await deleted();
  expect(await run()).toMatchObject({ left: 0 });
  await deliverMemo(stack);
  expect(await run()).toBeUndefined();
});
