import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Head, verifyAuditLog } from '@indbakke/shared/audit';
import { AUDIT_ANCHOR, createKeyFile, type KeyRing, loadKeyRing } from '@indbakke/shared/keys';
import type { Log, LogFields } from '@indbakke/shared/log';
import { createMetrics } from '@indbakke/shared/metrics';
import { openStore, type Store } from '@indbakke/shared/store';
import pg from 'pg';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { createTestDatabase, type TestDatabase } from '../../../infra/src/testkit/database.js';
import { numberChanges } from '../../journaler/src/feed/number-changes.js';
import {
  anchorAuditMonth,
  dropAuditMonths,
  makeAuditMonths,
  observeAuditMonths,
} from '../src/retention/audit-months.js';

const [OURS, OTHER] = ['22222222', '33333333'] as const;

let database: TestDatabase;
let owner: pg.Client;
let store: Store;
let folder: string;
let keys: KeyRing;
let lines: string[];
let log: Log;

beforeAll(async () => {
  database = await createTestDatabase();
  owner = new pg.Client({ connectionString: database.ownerUrl });
  await owner.connect();
  store = openStore({ url: database.url, connections: 2, name: 'audit-months' });
  folder = await mkdtemp(join(tmpdir(), 'audit-keys-'));
  await createKeyFile(join(folder, 'keys.json'));
  keys = await loadKeyRing(join(folder, 'keys.json'));
  const write =
    (level: string) =>
    (event: string, fields: LogFields = {}) => {
      lines.push([level, event, ...Object.values(fields)].join(' '));
    };
  log = { info: write('info'), warn: write('warn'), error: write('error'), debug: write('debug') };
});

beforeEach(async () => {
  lines = [];
  await owner.query('DELETE FROM audit_events; DELETE FROM audit_anchors; DELETE FROM feed_heads');
  for (const month of await monthsThere()) await dropTable(month);
  await owner.query('SELECT make_audit_months()');
});

afterAll(async () => {
  await store.close();
  await owner.end();
  await database.drop();
  await rm(folder, { recursive: true });
});

/** The first day of the month so many months ago. */
function monthsAgo(months: number): Date {
  const now = new Date();
  return new Date(Date.UTC(now.getUTCFullYear(), now.getUTCMonth() - months, 1));
}
const nameOf = (at: Date) => at.toISOString().slice(0, 7);

const dropTable = (month: string) => owner.query(`DROP TABLE audit_months.m${month.replace('-', '_')}`);

async function makeMonth(at: Date): Promise<void> {
  const next = new Date(Date.UTC(at.getUTCFullYear(), at.getUTCMonth() + 1, 1));
  await owner.query(
    `CREATE TABLE IF NOT EXISTS audit_months.m${nameOf(at).replace('-', '_')} PARTITION OF audit_events
     FOR VALUES FROM ('${at.toISOString()}') TO ('${next.toISOString()}')`,
  );
}

const INSERT = `
  INSERT INTO audit_events (id, at, municipality, actor_kind, actor, on_behalf_of, role, origin, action, message_id, citizen, details)
  VALUES (gen_random_uuid(), $1, $2, 'user', 'bruger-1', NULL, 'IndkomneDokumenter.Læs', '192.0.2.1', 'read', gen_random_uuid(), '\\x01', '{"b":1,"a":"x"}')`;
const minutesInto = (months: number, minutes: number) => new Date(monthsAgo(months).getTime() + minutes * 60_000);

const numberAll = async () => {
  while (await numberChanges({ store, keys }, 500));
};

/** Writes a row some minutes into a month, and numbers it. */
async function write(months: number, minutes: number, municipality: string = OURS): Promise<void> {
  if (months > 0) await makeMonth(monthsAgo(months));
  await owner.query(INSERT, [minutesInto(months, minutes), municipality]);
  await numberAll();
}

/** What verifying finds, with the head of a log that is whole. */
async function verify(
  known: readonly Head[] = [],
  municipality?: string,
): Promise<{ faults: string[]; heads: Head[] }> {
  const faults: string[] = [];
  const onFault = (fault: string) => faults.push(fault);
  return { heads: await verifyAuditLog(owner, keys, { municipality, known, onFault }), faults };
}

const drop = (months: number) => dropAuditMonths({ store, keys, log }, months);
const nameAgo = (months: number) => nameOf(monthsAgo(months));

/** Resolves when another connection waits for a lock. */
const untilSomebodyWaits = (asked: pg.Client = owner) =>
  expect
    .poll(
      async () =>
        (
          await asked.query(`SELECT FROM pg_locks l JOIN pg_stat_activity a USING (pid)
            WHERE NOT l.granted AND a.datname = current_database()`)
        ).rowCount,
      { interval: 5 },
    )
    .toBeGreaterThan(0);

/** A connection of somebody else. */
async function withOther<T>(work: (other: pg.Client) => Promise<T>): Promise<T> {
  const other = new pg.Client({ connectionString: database.ownerUrl });
  await other.connect();
  try {
    return await work(other);
  } finally {
    await other.end();
  }
}

async function monthsThere(): Promise<string[]> {
  const { rows } = await owner.query<{ name: string }>(
    `SELECT relname AS name FROM pg_class WHERE relnamespace = 'audit_months'::regnamespace AND relkind = 'r' AND relname ~ '^m' ORDER BY 1`,
  );
  return rows.map(({ name }) => name.slice(1).replace('_', '-'));
}

describe('verifying the log', () => {
  beforeEach(async () => {
    for (let row = 0; row < 6; row += 1) await owner.query(INSERT, [minutesInto(0, row), OURS]);
    await write(0, 0, OTHER);
  });

  it('finds nothing in one as it was written, of whichever municipality', async () => {
    const { faults, heads } = await verify();
    expect(faults).toEqual([]);
    expect(heads).toEqual([
      { municipality: OURS, position: 6n, hash: expect.stringMatching(/^[0-9a-f]{64}$/) },
      { municipality: OTHER, position: 1n, hash: expect.stringMatching(/^[0-9a-f]{64}$/) },
    ]);
    expect(await verify([], OTHER)).toEqual({ faults: [], heads: heads.slice(1) });
    await expect(verify([], '44444444')).rejects.toThrow('There is no municipality 44444444 here.');
  });

  it('reads in batches, and tells how far it is', { tags: 'long' }, async () => {
    await owner.query(
      `INSERT INTO audit_events (id, at, municipality, actor_kind, actor, action, details)
       SELECT gen_random_uuid(), now(), $1, 'user', 'x', 'read', '{}' FROM generate_series(1, 20000)`,
      [OTHER],
    );
    while (await numberChanges({ store, keys }, 10_000));
    const told: string[] = [];
    const onProgress = (...progress: unknown[]) => told.push(progress.join(' '));
    const heads = await verifyAuditLog(owner, keys, { onProgress, onFault: (fault) => told.push(fault) });
    expect(told).toEqual([`${OTHER} 10000 20001`, `${OTHER} 20000 20001`]);
    expect(heads[1]?.position).toBe(20_001n);
  });

  it('finds a row that was removed', async () => {
    await owner.query('DELETE FROM audit_events WHERE municipality = $1 AND position = 3', [OURS]);
    const { faults, heads } = await verify();
    expect(faults).toEqual([`${OURS}: position 3 is missing.`]);
    expect(heads.map(({ municipality }) => municipality)).toEqual([OTHER]);
  });

  it('finds several in a row, in one sentence', async () => {
    await owner.query('DELETE FROM audit_events WHERE municipality = $1 AND position IN (2, 3, 4)', [OURS]);
    expect((await verify()).faults).toEqual([`${OURS}: positions 2 to 4 are missing.`]);
  });

  it('finds one that was removed where the others moved up', async () => {
    await owner.query('DELETE FROM audit_events WHERE municipality = $1 AND position = 3', [OURS]);
    await owner.query('UPDATE audit_events SET position = position - 1 WHERE municipality = $1 AND position > 3', [
      OURS,
    ]);
    expect((await verify()).faults).toEqual([
      `${OURS}: positions 3 to 5 are altered or moved, or behind one that is.`,
      `${OURS}: position 6 is missing at the end.`,
    ]);
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
    expect((await verify()).faults).toEqual([`${OURS}: position 4 is altered or moved, or behind one that is.`]);
  });

  it.each([['NULL'], [`'\\x01'`], [`sha256('x')`]])('finds a row whose hash was altered to %s', async (value) => {
    await owner.query(`UPDATE audit_events SET hash = ${value} WHERE municipality = $1 AND position = 4`, [OURS]);
    expect((await verify()).faults).toEqual([`${OURS}: positions 4 to 5 are altered or moved, or behind one that is.`]);
  });

  it('finds two rows that changed places', async () => {
    await owner.query(
      'UPDATE audit_events SET position = 7 - position WHERE municipality = $1 AND position IN (3, 4)',
      [OURS],
    );
    expect((await verify()).faults).toEqual([`${OURS}: positions 3 to 5 are altered or moved, or behind one that is.`]);
  });

  it('finds a row that was moved to another municipality', async () => {
    await owner.query(
      'UPDATE audit_events SET municipality = $2, position = 2 WHERE municipality = $1 AND position = 6',
      [OURS, OTHER],
    );
    expect((await verify()).faults).toEqual([
      `${OURS}: position 6 is missing at the end.`,
      `${OTHER}: position 2 is altered or moved, or behind one that is.`,
      `${OTHER}: the head is position 1, but there are rows up to 2.`,
    ]);
  });

  /** A copy of row 2, with other values in some columns. */
  const insertCopy = (columns: string, values: string) =>
    owner.query(
      `INSERT INTO audit_events (id, at, actor_kind, actor, action, details, ${columns})
       SELECT gen_random_uuid(), at, actor_kind, actor, action, details, ${values}
       FROM audit_events WHERE municipality = $1 AND position = 2`,
      [OURS],
    );

  it('finds a position that is there twice', async () => {
    await insertCopy('municipality, position, hash', 'municipality, position, hash');
    expect((await verify()).faults).toContain(`${OURS}: position 2 is there twice.`);
  });

  it('finds a row that was put in, and the others moved on', async () => {
    await owner.query('UPDATE audit_events SET position = position + 1 WHERE municipality = $1 AND position > 2', [
      OURS,
    ]);
    await insertCopy('municipality, position, hash', 'municipality, 3, hash');
    expect((await verify()).faults).toEqual([
      `${OURS}: positions 3 to 7 are altered or moved, or behind one that is.`,
      `${OURS}: the head is position 6, but there are rows up to 7.`,
    ]);
  });

  it.each([0, -5])('finds a row that was put at position %i', async (position) => {
    await insertCopy('municipality, position, hash', `municipality, ${position}, hash`);
    expect((await verify()).faults).toEqual([`${OURS}: position ${position} is below the first.`]);
  });

  it('finds a row of a municipality that is not here', async () => {
    await insertCopy('municipality, position, hash', `'99999999', 1, hash`);
    expect((await verify()).faults).toContain('99999999: the head is position 0, but there are rows up to 1.');
  });

  it('tells in one sentence that the key is another one', async () => {
    const file = join(folder, 'others.json');
    await createKeyFile(file);
    const others = await loadKeyRing(file);
    const faults: string[] = [];
    await verifyAuditLog(owner, others, { municipality: OURS, onFault: (fault) => faults.push(fault) });
    expect(faults).toEqual([`${OURS}: positions 1 to 6 are altered or moved, or behind one that is.`]);
  });

  it('finds an end that was cut off', async () => {
    await owner.query('DELETE FROM audit_events WHERE municipality = $1 AND position >= 5', [OURS]);
    expect((await verify()).faults).toEqual([`${OURS}: positions 5 to 6 are missing at the end.`]);
  });

  it('finds an end that was cut off with its head by a head that was kept', async () => {
    const { heads } = await verify();
    await owner.query('DELETE FROM audit_events WHERE municipality = $1 AND position = 6', [OURS]);
    await owner.query(
      `UPDATE feed_heads h SET audit_position = 5, audit_hash = e.hash FROM audit_events e
       WHERE h.municipality = $1 AND e.municipality = $1 AND e.position = 5`,
      [OURS],
    );
    expect((await verify()).faults).toEqual([]);
    expect((await verify(heads)).faults).toEqual([
      `${OURS}: position 6, whose hash was kept, is missing: the end has been cut off.`,
    ]);
  });

  it('finds a log that was removed with its municipality by a head that was kept', async () => {
    const { heads } = await verify();
    await owner.query('DELETE FROM audit_events WHERE municipality = $1', [OTHER]);
    await owner.query('DELETE FROM feed_heads WHERE municipality = $1', [OTHER]);
    expect((await verify()).faults).toEqual([]);
    expect((await verify(heads)).faults).toEqual([
      `${OTHER}: position 1, whose hash was kept, is missing: the end has been cut off.`,
    ]);
  });

  it('finds a log that was written anew by a head that was kept', async () => {
    const { heads } = await verify();
    await owner.query(`UPDATE audit_events SET position = NULL, hash = NULL, actor = 'ny' WHERE municipality = $1`, [
      OURS,
    ]);
    await owner.query('DELETE FROM feed_heads WHERE municipality = $1', [OURS]);
    await numberAll();
    expect((await verify()).faults).toEqual([]);
    expect((await verify(heads)).faults).toEqual([`${OURS}: the hash of position 6 is not the one that was kept.`]);
  });

  it('finds a head that was altered', async () => {
    await owner.query(`UPDATE feed_heads SET audit_hash = sha256('x') WHERE municipality = $1`, [OURS]);
    expect((await verify()).faults).toEqual([`${OURS}: the head has another hash than position 6.`]);
  });

  it('tells of rows that wait for a position for long', async () => {
    await owner.query(`INSERT INTO audit_events (id, at, municipality, actor_kind, actor, action, details)
      VALUES (gen_random_uuid(), now() - interval '2 minutes', '${OURS}', 'user', 'x', 'read', '{}')`);
    expect((await verify()).faults).toEqual([expect.stringContaining('1 rows older than 60 seconds have no position')]);
  });

  it('finds nothing while rows are written and numbered', async () => {
    let isOver = false;
    const writing = withOther(async (other) => {
      for (let row = 0; row < 300; row += 1) {
        await other.query(INSERT, [new Date(), row % 3 === 0 ? OTHER : OURS]);
        if (row % 7 === 0) await numberAll();
      }
      isOver = true;
    });
    const positions = new Set<bigint | undefined>();
    while (!isOver) {
      const { faults, heads } = await verify();
      expect(faults).toEqual([]);
      positions.add(heads[0]?.position);
    }
    await writing;
    expect(positions.size).toBeGreaterThan(2);
  });
});

describe('the months of the log', () => {
  it('that are older than is kept are dropped at once, and the rest still verifies', async () => {
    for (const months of [16, 15, 14, 13, 1, 0]) await write(months, 1);
    for (const months of [15, 14]) await write(months, 2, OTHER);
    const { heads } = await verify();
    await drop(13);
    const there = await monthsThere();
    for (const months of [16, 15, 14]) expect(there).not.toContain(nameAgo(months));
    for (const months of [13, 1, 0]) expect(there).toContain(nameAgo(months));
    expect(lines).toEqual([16, 15, 14].map((months) => `warn audit-month-dropped ${nameAgo(months)}`));
    expect(await verify(heads)).toEqual({ faults: [], heads });
    await write(0, 5);
    expect((await verify(heads)).faults).toEqual([]);
    await drop(6);
    expect((await verify(heads)).faults).toEqual([]);
    expect(await monthsThere()).not.toContain(nameAgo(13));
  });

  it('that are kept are the same in whatever zone the server is', async () => {
    for (let months = 18; months > 0; months -= 1) await makeMonth(monthsAgo(months));
    // Whatever the season is now, one of the two has summer time and had none some of these months ago.
    for (const zone of ['UTC', 'Europe/Copenhagen', 'Australia/Sydney']) {
      await withOther(async (other) => {
        await other.query(`SET TIME ZONE '${zone}'`);
        for (let kept = 6; kept < 18; kept += 1) {
          const { rows } = await other.query<{ month: string }>('SELECT audit_months_before($1) AS month', [kept]);
          expect(rows.at(-1)?.month, `${zone}, ${kept} months`).toBe(nameAgo(kept + 1));
        }
      });
    }
  });

  it('that are kept are 6 at least, whoever drops one', async () => {
    await write(5, 1);
    await anchorAuditMonth({ store, keys }, nameAgo(5));
    const dropping = store.sweep('SELECT drop_audit_month($1)', [nameAgo(5)]);
    await expect(dropping).rejects.toThrow('is not older than six months');
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
    await drop(13);
    const { rows } = await owner.query('SELECT first_position::int, last_position::int FROM audit_anchors ORDER BY 1');
    expect(rows.map((row) => [row.first_position, row.last_position])).toEqual([
      [1, 1],
      [3, 4],
      [6, 6],
    ]);
    expect((await verify()).faults).toEqual([]);
    await drop(12);
    expect((await verify()).faults).toEqual([]);
    await owner.query('DELETE FROM audit_anchors WHERE first_position = 5');
    expect((await verify()).faults).toEqual([`${OURS}: position 5 is missing.`]);
  });

  it.each([1, 3, 4])(
    'verify before they are dropped, and row %i that is removed from one then is missed',
    async (row) => {
      for (let minutes = 1; minutes <= 4; minutes += 1) await write(14, minutes);
      await write(0, 1);
      await anchorAuditMonth({ store, keys }, nameAgo(14));
      expect((await verify()).faults).toEqual([]);
      await owner.query('DELETE FROM audit_events WHERE position = $1', [row]);
      expect((await verify()).faults).toEqual([`${OURS}: position ${row} is missing.`]);
    },
  );

  it('are not dropped before every row is anchored', async () => {
    await write(14, 1);
    const dropping = () => store.sweep('SELECT drop_audit_month($1)', [nameAgo(14)]);
    await expect(dropping()).rejects.toThrow('Not every row of the month');
    await owner.query('UPDATE audit_events SET position = NULL');
    await expect(drop(13)).rejects.toThrow('Not every row of the month');
    expect(await monthsThere()).toContain(nameAgo(14));
  });

  it('anchor a row that came after their anchors, too', async () => {
    await write(14, 1);
    await anchorAuditMonth({ store, keys }, nameAgo(14));
    await write(14, 2);
    await write(0, 1);
    await drop(13);
    expect(await monthsThere()).not.toContain(nameAgo(14));
    expect((await verify()).faults).toEqual([]);
  });

  it('are not dropped when a row comes while that waits for its writer', async () => {
    await write(14, 1);
    await withOther(async (other) => {
      await other.query('BEGIN');
      await other.query(INSERT, [minutesInto(14, 2), OURS]);
      const failing = expect(drop(13)).rejects.toThrow('Not every row of the month');
      await untilSomebodyWaits();
      await other.query('COMMIT');
      await failing;
    });
    expect(await monthsThere()).toContain(nameAgo(14));
  });

  it('go on to be dropped when a process died after the anchors', async () => {
    await write(14, 1);
    await write(0, 1);
    await anchorAuditMonth({ store, keys }, nameAgo(14));
    await drop(13);
    expect(await monthsThere()).not.toContain(nameAgo(14));
    expect((await verify()).faults).toEqual([]);
  });

  it('are dropped once by several processes', async () => {
    for (const months of [15, 14, 0]) await write(months, 1);
    await Promise.all([drop(13), drop(13), drop(13)]);
    await drop(13);
    // Who waits for the others' locks too long leaves it to the next sweep, and says so.
    expect(lines.filter((line) => line !== 'warn audit-month-busy').toSorted()).toEqual(
      [15, 14].map((months) => `warn audit-month-dropped ${nameAgo(months)}`).toSorted(),
    );
    expect((await verify()).faults).toEqual([]);
  });

  it('are dropped while others write, and nothing that they wrote is lost', async () => {
    for (const months of [15, 14]) for (let row = 0; row < 20; row += 1) await write(months, row);
    let isOver = false;
    const writers = Array.from({ length: 4 }, () =>
      withOther(async (other) => {
        let written = 0;
        for (; !isOver; written += 1) await other.query(INSERT, [new Date(), OURS]);
        return written;
      }),
    );
    while ((await monthsThere()).includes(nameAgo(14))) {
      await numberAll();
      await drop(13);
    }
    isOver = true;
    const written = (await Promise.all(writers)).reduce((sum, each) => sum + each, 0);
    await numberAll();
    const { rows } = await owner.query('SELECT count(*)::int AS count FROM audit_events');
    expect(rows).toEqual([{ count: written }]);
    const { faults, heads } = await verify();
    expect(faults).toEqual([]);
    expect(heads[0]?.position).toBe(BigInt(written + 40));
  });

  it('wait with that while somebody reads the log, and hold up no writer', async () => {
    await write(14, 1);
    await withOther(async (other) => {
      await other.query('BEGIN; SELECT count(*) FROM audit_events');
      const dropping = drop(13);
      await untilSomebodyWaits();
      await write(0, 1);
      await dropping;
      expect(lines).toEqual(['warn audit-month-busy']);
      expect(await monthsThere()).toContain(nameAgo(14));
    });
    await drop(13);
    expect(await monthsThere()).not.toContain(nameAgo(14));
    expect((await verify()).faults).toEqual([]);
  });

  it('that are dropped while verifying begins are not missed', async () => {
    await write(14, 1);
    await write(0, 1);
    await anchorAuditMonth({ store, keys }, nameAgo(14));
    await withOther(async (other) => {
      await other.query('CREATE TEMP TABLE anchors AS TABLE audit_anchors; DELETE FROM audit_anchors');
      await other.query('BEGIN; INSERT INTO audit_anchors TABLE anchors');
      await other.query('SELECT drop_audit_month($1)', [nameAgo(14)]);
      const verifying = verify();
      await untilSomebodyWaits(other);
      await other.query('COMMIT');
      expect((await verifying).faults).toEqual([]);
    });
  });

  it('that went without an anchor, or with a forged one, are missed', async () => {
    for (const months of [15, 14, 13, 0]) await write(months, 1);
    await drop(13);
    const forged = keys.digest(AUDIT_ANCHOR, 'another');
    await owner.query('UPDATE audit_anchors SET seal = $1 WHERE first_position = 1', [forged]);
    expect((await verify()).faults).toEqual([`${OURS}: the anchor of positions 1 to 1 (${nameAgo(15)}) is not ours.`]);
    await owner.query('DELETE FROM audit_anchors WHERE first_position = 1');
    expect((await verify()).faults).toEqual([`${OURS}: position 1 is missing.`]);
  });

  it.each([
    ['first_position', '0'],
    ['last_position', '2'],
    ['last_hash', `sha256('x')`],
    ['month', `'2001-01'`],
    ['municipality', `'${OTHER}'`],
  ])('have anchors whose %s cannot be altered', async (column, value) => {
    for (const months of [14, 13, 0]) await write(months, 1);
    await drop(13);
    await owner.query(`UPDATE audit_anchors SET ${column} = ${value}`);
    expect((await verify()).faults).toContainEqual(
      expect.stringMatching(/the anchor of positions \d to \d .* is not ours/),
    );
  });

  it('are not dropped with an anchor that is not ours', async () => {
    await write(14, 1);
    await owner.query('INSERT INTO audit_anchors VALUES ($1, 1, 1, $2, $3, $2)', [OURS, '\\x01', nameAgo(14)]);
    await drop(13);
    expect(lines).toEqual([`error audit-month-fault forged ${nameAgo(14)}`]);
    expect(await monthsThere()).toContain(nameAgo(14));
  });

  it('are not dropped with a row that was moved into one, since its anchor would hide that', async () => {
    await makeMonth(monthsAgo(14));
    for (let minutes = 1; minutes <= 3; minutes += 1) await write(0, minutes);
    await owner.query('UPDATE audit_events SET at = $1 WHERE position = 2', [minutesInto(14, 1)]);
    await drop(13);
    expect(lines).toEqual([`error audit-month-fault forged ${nameAgo(14)}`]);
    expect((await verify()).faults).toEqual([`${OURS}: position 2 is altered or moved, or behind one that is.`]);
  });

  it('are not dropped because the database says that they are old', async () => {
    await write(5, 1);
    await write(0, 1);
    const [before] = (await owner.query(`SELECT pg_get_functiondef('audit_months_before'::regproc) AS text`)).rows;
    await owner.query(`CREATE OR REPLACE FUNCTION audit_months_before(keep integer) RETURNS SETOF text LANGUAGE sql
      AS $$ SELECT '${nameAgo(5)}' $$`);
    await drop(6);
    await owner.query(before.text);
    expect(await monthsThere()).toContain(nameAgo(5));
  });

  it('get back the rows that went to none, as docs/ledger-and-audit-log.md has it, also those of a month that is over', async () => {
    for (const months of [2, 1, 0, -1, -30]) await owner.query(INSERT, [minutesInto(months, 1), OURS]);
    await numberAll();
    const page = await readFile(new URL('../../../docs/ledger-and-audit-log.md', import.meta.url), 'utf8');
    const [, statements] = /After `misplaced`[\s\S]*?```sql\n([\s\S]*?)```/.exec(page) ?? [];
    await owner.query(`SET TIME ZONE 'Europe/Copenhagen'; ${statements}; RESET TIME ZONE`);
    const { rows } = await owner.query('SELECT tableoid::regclass::text AS month FROM audit_events ORDER BY at');
    expect(rows.map(({ month }) => month)).toEqual(
      [2, 1, 0, -1, -30].map((months) => `audit_months.m${nameAgo(months).replace('-', '_')}`),
    );
    expect((await verify()).faults).toEqual([]);
  });

  it('are there before they begin; what is wrong with them is logged and in the metrics', async () => {
    const metrics = createMetrics();
    observeAuditMonths({ store, metrics }, 13);
    const measured = async () =>
      (await metrics.registry.metrics()).split('\n').filter((line) => line.startsWith('indbakke_audit_month_faults'));
    const make = () => makeAuditMonths({ store, log }, 13);
    await make();
    expect(await monthsThere()).toEqual([0, -1, -2].map(nameAgo));
    expect(lines).toEqual([]);
    expect(await measured()).toEqual(
      ['missing', 'misplaced', 'overdue'].map((fault) => `indbakke_audit_month_faults{fault="${fault}"} 0`),
    );

    await makeMonth(monthsAgo(15));
    await dropTable(nameAgo(-1));
    await owner.query(INSERT, [minutesInto(-1, 1), OURS]);
    await expect(make()).rejects.toThrow('would be violated by some row');
    expect(lines).toEqual(['missing', 'misplaced', 'overdue'].map((fault) => `error audit-month-fault ${fault}`));
    expect(await measured()).toEqual(
      ['missing', 'misplaced', 'overdue'].map((fault) => `indbakke_audit_month_faults{fault="${fault}"} 1`),
    );
  });
});
