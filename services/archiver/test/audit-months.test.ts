import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Head, verifyChain } from '@indbakke/shared/audit';
import { AUDIT_ANCHOR, createKeyFile, type KeyRing, loadKeyRing } from '@indbakke/shared/keys';
import { createLog } from '@indbakke/shared/log';
import { openStore, type Store } from '@indbakke/shared/store';
import pg from 'pg';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createTestDatabase } from '../../../infra/src/testkit/database.js';
import { numberChanges } from '../../journaler/src/feed/number-changes.js';
import { anchorAuditMonth, keepAuditMonths } from '../src/retention/audit-months.js';

const [OURS, OTHER] = ['22222222', '33333333'] as const;
const log = createLog('audit-months', 'silent');

let database: Awaited<ReturnType<typeof createTestDatabase>>;
let owner: pg.Client;
let store: Store;
let keys: KeyRing;

beforeEach(async () => {
  database = await createTestDatabase();
  owner = new pg.Client({ connectionString: database.ownerUrl });
  await owner.connect();
  store = openStore({ url: database.url, connections: 2, name: 'audit-months' });
  const file = join(await mkdtemp(join(tmpdir(), 'audit-keys-')), 'keys.json');
  await createKeyFile(file);
  keys = await loadKeyRing(file);
});

afterEach(async () => {
  await store.close();
  await owner.end();
  await database.drop();
});

/** The first day of the month so many months ago. */
function monthsAgo(months: number): Date {
  const now = new Date();
  return new Date(Date.UTC(now.getUTCFullYear(), now.getUTCMonth() - months, 1));
}
const nameOf = (at: Date) => at.toISOString().slice(0, 7);

async function makeMonth(at: Date): Promise<void> {
  const next = new Date(Date.UTC(at.getUTCFullYear(), at.getUTCMonth() + 1, 1));
  await owner.query(
    `CREATE TABLE IF NOT EXISTS audit_months.m${nameOf(at).replace('-', '_')} PARTITION OF audit_events
     FOR VALUES FROM ('${at.toISOString()}') TO ('${next.toISOString()}')`,
  );
}

/** Writes a row some minutes into a month, and numbers it. */
async function write(months: number, minutes: number, municipality: string = OURS): Promise<void> {
  const at = monthsAgo(months);
  if (months > 0) await makeMonth(at);
  await owner.query(
    `INSERT INTO audit_events (id, at, municipality, actor_kind, actor, on_behalf_of, role, origin, action, message_id, citizen, details)
     VALUES (gen_random_uuid(), $1, $2, 'user', 'bruger-1', NULL, 'IndkomneDokumenter.Læs', '192.0.2.1', 'read', gen_random_uuid(), '\\x01', '{"b":1,"a":"x"}')`,
    [new Date(at.getTime() + minutes * 60_000), municipality],
  );
  await numberChanges({ store, keys });
}

/** What verifying finds. */
async function verify(
  known: readonly Head[] = [],
  municipality: string = OURS,
): Promise<{ faults: string[]; head: Head }> {
  const faults: string[] = [];
  const head = await verifyChain(owner, keys, municipality, { onFault: (fault) => faults.push(fault) }, known);
  return { faults, head };
}

const keep = (months: number) => keepAuditMonths({ store, keys, log }, months);

async function monthsThere(): Promise<string[]> {
  const { rows } = await owner.query<{ name: string }>(
    `SELECT relname AS name FROM pg_class WHERE relnamespace = 'audit_months'::regnamespace AND relkind = 'r' AND relname ~ '^m' ORDER BY 1`,
  );
  return rows.map(({ name }) => name.slice(1).replace('_', '-'));
}

describe('verifying the chain', () => {
  beforeEach(async () => {
    for (let row = 0; row < 6; row += 1) await write(0, row);
    await write(0, 0, OTHER);
  });

  it('finds nothing in a log as it was written, whoever else has one', async () => {
    const { faults, head } = await verify();
    expect(faults).toEqual([]);
    expect(head).toMatchObject({ municipality: OURS, position: 6n });
    expect((await verify([], OTHER)).faults).toEqual([]);
    expect((await verify([], '44444444')).faults).toEqual([]);
  });

  it('finds a row that was removed', async () => {
    await owner.query('DELETE FROM audit_events WHERE municipality = $1 AND position = 3', [OURS]);
    expect((await verify()).faults).toEqual([`${OURS}: position 3 is missing.`]);
  });

  it('finds several in a row', async () => {
    await owner.query('DELETE FROM audit_events WHERE municipality = $1 AND position IN (2, 3, 4)', [OURS]);
    expect((await verify()).faults).toEqual([`${OURS}: positions 2 to 4 are missing.`]);
  });

  it.each([
    ['at', `at + interval '1 second'`],
    ['actor_kind', `'system'`],
    ['actor', `'bruger-2'`],
    ['on_behalf_of', `'chefen'`],
    ['role', 'NULL'],
    ['origin', `''`],
    ['action', `'list'`],
    ['result', `'not-found'`],
    ['message_id', 'NULL'],
    ['citizen', 'NULL'],
    ['details', `'{"a":"x"}'`],
    ['id', 'gen_random_uuid()'],
  ])('finds a row whose %s was altered', async (column, value) => {
    await owner.query(`UPDATE audit_events SET ${column} = ${value} WHERE municipality = $1 AND position = 4`, [OURS]);
    expect((await verify()).faults).toEqual([`${OURS}: position 4 has been altered, or the row before it has.`]);
  });

  it('finds two rows that changed places', async () => {
    await owner.query(
      'UPDATE audit_events SET position = 7 - position WHERE municipality = $1 AND position IN (3, 4)',
      [OURS],
    );
    expect((await verify()).faults.length).toBeGreaterThan(0);
  });

  it('finds a row of another municipality that was put in place of one', async () => {
    await owner.query('DELETE FROM audit_events WHERE municipality = $1 AND position = 1', [OURS]);
    await owner.query('UPDATE audit_events SET municipality = $1 WHERE municipality = $2', [OURS, OTHER]);
    expect((await verify()).faults).toEqual(
      expect.arrayContaining([expect.stringContaining('position 1 has been altered')]),
    );
  });

  it('finds a position that is there twice', async () => {
    await owner.query(
      `INSERT INTO audit_events (id, at, municipality, actor_kind, actor, action, details, position, hash)
       SELECT gen_random_uuid(), at, municipality, actor_kind, actor, action, details, position, hash
       FROM audit_events WHERE municipality = $1 AND position = 2`,
      [OURS],
    );
    expect((await verify()).faults).toContain(`${OURS}: position 2 is there twice.`);
  });

  it('finds an end that was cut off', async () => {
    await owner.query('DELETE FROM audit_events WHERE municipality = $1 AND position = 6', [OURS]);
    expect((await verify()).faults).toEqual([`${OURS}: positions 6 to 6 are missing at the end.`]);
  });

  it('finds an end that was cut off with its head by a head that was kept', async () => {
    const { head } = await verify();
    await owner.query('DELETE FROM audit_events WHERE municipality = $1 AND position = 6', [OURS]);
    await owner.query(
      `UPDATE feed_heads h SET audit_position = 5, audit_hash = e.hash FROM audit_events e
       WHERE h.municipality = $1 AND e.municipality = $1 AND e.position = 5`,
      [OURS],
    );
    expect((await verify()).faults).toEqual([]);
    expect((await verify([head])).faults).toEqual([
      `${OURS}: position 6, whose hash was kept, is missing: the end has been cut off.`,
    ]);
  });

  it('finds a log that was written anew by a head that was kept', async () => {
    const { head } = await verify();
    await owner.query('UPDATE audit_events SET position = NULL, hash = NULL, actor = $2 WHERE municipality = $1', [
      OURS,
      'ny',
    ]);
    await owner.query('DELETE FROM feed_heads WHERE municipality = $1', [OURS]);
    await numberChanges({ store, keys });
    expect((await verify()).faults).toEqual([]);
    expect((await verify([head])).faults).toEqual([`${OURS}: the hash of position 6 is not the one that was kept.`]);
  });

  it('tells of rows that wait for a position for long', async () => {
    await owner.query(`INSERT INTO audit_events (id, at, municipality, actor_kind, actor, action, details)
      VALUES (gen_random_uuid(), now() - interval '2 minutes', '${OURS}', 'user', 'x', 'read', '{}')`);
    expect((await verify()).faults).toEqual([expect.stringContaining('1 rows older than 60 seconds have no position')]);
  });
});

describe('the months of the log', () => {
  it('that are older than is kept are dropped at once, and the rest still verifies', async () => {
    for (const months of [16, 15, 14, 13, 1, 0]) await write(months, 1);
    for (const months of [15, 14]) await write(months, 2, OTHER);
    const { head } = await verify();
    await keep(13);
    const there = await monthsThere();
    for (const months of [16, 15, 14]) expect(there).not.toContain(nameOf(monthsAgo(months)));
    for (const months of [13, 1, 0]) expect(there).toContain(nameOf(monthsAgo(months)));
    expect((await verify([head])).faults).toEqual([]);
    expect((await verify([], OTHER)).faults).toEqual([]);
    await write(0, 5);
    expect((await verify([head])).faults).toEqual([]);
    await keep(6);
    expect((await verify([head])).faults).toEqual([]);
    expect(await monthsThere()).not.toContain(nameOf(monthsAgo(13)));
  });

  it('that are kept are 6 at least, whoever drops one', async () => {
    await write(5, 1);
    const month = nameOf(monthsAgo(5));
    await anchorAuditMonth({ store, keys }, month);
    await expect(store.sweep('SELECT drop_audit_month($1)', [month])).rejects.toThrow('is not older than six months');
  });

  it('may have positions among those of the next one', async () => {
    for (const [months, minutes] of [
      [14, 1],
      [13, 1],
      [14, 2],
      [14, 3],
      [13, 2],
      [14, 4],
    ] as const)
      await write(months, minutes);
    await write(0, 1);
    await keep(13);
    const { rows } = await owner.query('SELECT first_position::int, last_position::int FROM audit_anchors ORDER BY 1');
    expect(rows.map((row) => [row.first_position, row.last_position])).toEqual([
      [1, 1],
      [3, 4],
      [6, 6],
    ]);
    expect((await verify()).faults).toEqual([]);
    await owner.query('DELETE FROM audit_events WHERE position = 5');
    expect((await verify()).faults).toEqual([`${OURS}: position 5 is missing.`]);
  });

  it('are not dropped before every row is anchored', async () => {
    await write(14, 1);
    await expect(store.sweep('SELECT drop_audit_month($1)', [nameOf(monthsAgo(14))])).rejects.toThrow(
      'Not every row of the month',
    );
    await owner.query(`UPDATE audit_events SET position = NULL`);
    await anchorAuditMonth({ store, keys }, nameOf(monthsAgo(14)));
    await expect(store.sweep('SELECT drop_audit_month($1)', [nameOf(monthsAgo(14))])).rejects.toThrow(
      'Not every row of the month',
    );
  });

  it('go on to be dropped when a process died after the anchors', async () => {
    await write(14, 1);
    await write(0, 1);
    await anchorAuditMonth({ store, keys }, nameOf(monthsAgo(14)));
    await keep(13);
    expect(await monthsThere()).not.toContain(nameOf(monthsAgo(14)));
    expect((await verify()).faults).toEqual([]);
  });

  it('are dropped once by several processes', async () => {
    await write(14, 1);
    await write(0, 1);
    const both = await Promise.allSettled([keep(13), keep(13), keep(13)]);
    expect(both.some(({ status }) => status === 'fulfilled')).toBe(true);
    expect(await monthsThere()).not.toContain(nameOf(monthsAgo(14)));
    expect((await verify()).faults).toEqual([]);
  });

  it('that went without an anchor, or with a forged one, are missed', async () => {
    for (const months of [14, 13, 0]) await write(months, 1);
    await keep(13);
    const forged = keys.digest(AUDIT_ANCHOR, 'another');
    await owner.query('UPDATE audit_anchors SET seal = $1', [forged]);
    expect((await verify()).faults).toEqual([expect.stringContaining('the anchor of positions 1 to 1')]);
    await owner.query('DELETE FROM audit_anchors');
    expect((await verify()).faults).toEqual([`${OURS}: position 1 is missing.`]);
  });

  it('are there before they begin, and rows of no month are told', async () => {
    await keep(13);
    const next = new Date();
    next.setUTCMonth(next.getUTCMonth() + 1, 1);
    expect(await monthsThere()).toContain(nameOf(next));
    const faults = () => store.sweep('SELECT * FROM audit_month_faults()');
    expect(await faults()).toEqual([{ missing: false, misplaced: false }]);
    await owner.query(`DROP TABLE audit_months.m${nameOf(next).replace('-', '_')}`);
    await owner.query(`INSERT INTO audit_events (id, at, municipality, actor_kind, actor, action, details)
      VALUES (gen_random_uuid(), '2001-01-01', '${OURS}', 'user', 'x', 'read', '{}')`);
    expect(await faults()).toEqual([{ missing: true, misplaced: true }]);
  });
});
