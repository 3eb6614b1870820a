import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createTestDatabase, type TestDatabase } from '../../../infra/src/testkit/database.js';
import { type Principal, type Role, visibleTo } from '../../../shared/src/access/index.js';
import { SearchBody } from '../../../shared/src/api/index.js';
import { openStore, Prisma, type Store } from '../../../shared/src/store/index.js';
import type { Position } from '../src/inbox/cursor.js';
import { statementOf } from '../src/inbox/list.js';
import { cutPage, type PageRow } from '../src/inbox/page.js';
import { countsOf } from '../src/inbox/summary.js';

// @module-tag long

const CVR = '44444444';
const MANY = 4_000;
/** What a page may read of the history when few messages meet the filters, and its parties or cases. */
const BOUND = 1_300;
/** What it may read when an index has the filter. */
const FEW = 350;

let database: TestDatabase;
let store: Store;

// Journalized messages, a minute apart. One in a hundred is the caller's, in one of four ways; one in ten is of an authority.
beforeAll(async () => {
  database = await createTestDatabase();
  store = openStore({ url: database.url, connections: 1, name: 'plans' });
  const fill = (text: string, values: unknown[] = [CVR]) => database.sql(text, values);
  await fill(`INSERT INTO municipalities (cvr, name) VALUES ($1, 'Kommune')`);
  await fill(
    `INSERT INTO cases (municipality, case_id, caseworker)
     SELECT $1, 'K-' || n, 'caseworker-' || n % 100 FROM generate_series(0, 999) n`,
  );
  await fill(
    `INSERT INTO messages (id, municipality, channel, external_id, fingerprint, kind, contact_point_id, received_at, letter_at,
       transmission_id, document_count, file_count, content_size, remarks, status, status_at, status_by, handled_at,
       next_enqueue_at, suggested_case_id, assignee_kind, assignee_id)
     SELECT gen_random_uuid(), $1, 'sf1606', n::text, 'x', 'reply', 'p', now() - n * interval '1 minute',
       now() - n * interval '1 minute', gen_random_uuid(), 0, 0, 0, '[]', 'journalized', now(), 'test', now(), now(),
       'K-' || n % 1000,
       CASE WHEN n % 10 = 0 THEN CASE WHEN n % 20 = 0 THEN 'user' ELSE 'team' END END,
       CASE WHEN n % 10 = 0 THEN CASE WHEN n % 20 = 0 THEN 'caseworker-' ELSE 'team-' END || n / 20 % 100 END
     FROM generate_series(1, ${MANY}) n`,
  );
  await fill(
    `INSERT INTO journalizations (message_id, case_id, municipality, at, by)
     SELECT id, 'J-' || external_id::int % 1000, municipality, now(), 'test' FROM messages WHERE municipality = $1`,
  );
  await fill(
    `INSERT INTO message_parties (message_id, role, municipality, number, status, received_at, letter_at)
     SELECT id, 'sender', municipality, CASE WHEN external_id::int % 10 = 0 THEN '55555555' ELSE '41' || lpad(external_id, 8, '0') END,
       status, received_at, letter_at FROM messages WHERE municipality = $1`,
  );
  await fill('ANALYZE', []);
});

afterAll(async () => {
  await store.close();
  await database.drop();
});

interface PlanNode {
  readonly 'Relation Name'?: string;
  readonly 'Actual Rows': number;
  readonly 'Actual Loops': number;
  readonly 'Rows Removed by Filter'?: number;
  readonly Plans?: readonly PlanNode[];
}

/** Rows that a statement read, kept or not, of the tables that grow with the history. */
function rowsRead(node: PlanNode): number {
  const grows = ['messages', 'message_parties', 'journalizations'].includes(node['Relation Name'] ?? '');
  const own = grows ? node['Actual Rows'] + (node['Rows Removed by Filter'] ?? 0) : 0;
  return (node.Plans ?? []).reduce((sum, child) => sum + rowsRead(child), own * node['Actual Loops']);
}

async function readBy(statement: Prisma.Sql): Promise<number> {
  const explained = Prisma.sql`EXPLAIN (ANALYZE, FORMAT JSON) ${statement}`;
  const [row] = await store.query<{ 'QUERY PLAN': [{ Plan: PlanNode }] }>(CVR, explained, 'fresh');
  return rowsRead(row?.['QUERY PLAN'][0].Plan as PlanNode);
}

function caller(...roles: Role[]): Principal {
  const actor = { kind: 'user', id: 'caseworker-7' } as const;
  return { actor, municipality: CVR, roles: new Set(roles), teams: ['team-7'] };
}

const OWN: Role[] = ['IndkomneDokumenter.Læs'];
const ALL: Role[] = [...OWN, 'IndkomneDokumenter.SeAlle'];
const hoursAgo = (hours: number) => new Date(Date.now() - hours * 3_600_000).toISOString();

const FILTERS: readonly object[] = [
  {},
  { status: ['journalized', 'pending', 'rejected'] },
  { case: 'K-7' },
  { case: 'J-7' },
  { sender: '4100000007' },
  { concerning: '4100000007' },
  { assignee: 'me' },
  { assignee: 'team-7' },
  { owner: 'me' },
  { view: 'mine' },
  { view: 'assigned' },
  { view: 'absent', colleagues: ['caseworker-8', 'caseworker-9'] },
  { view: 'unhandled', olderThan: 'P1D' },
  { view: 'late' },
  { hasMedia: true },
  { concern: 'any' },
  { concern: 'open' },
  { concern: 'overdue' },
  { status: ['rejected'], outcome: 'open' },
  { kind: 'reply' },
  { kind: 'forwarded' },
  { channel: 'sf1606' },
  { channel: 'sf2900' },
  { contactPoint: 'p' },
  { contactPoint: 'unknown' },
  { hasSuggestion: true },
  { late: false },
  { receivedFrom: hoursAgo(2), receivedTo: hoursAgo(1) },
  { olderThan: 'P2D' },
];
/** Those that nothing but a walk of the status can tell. */
const SPARSE: readonly object[] = [
  { hasSuggestion: false },
  { party: 'father', warning: 'not-the-recipient' },
  { assignee: 'none', view: 'mine' },
  { view: 'nobodys' },
  { kind: 'reply', contactPoint: 'p', hasSuggestion: false },
  { sender: '55555555' },
  { sender: '55555555', kind: 'forwarded' },
];

it('pages of the caller’s own, from many cases and both kinds of assignees, have them all in order', async () => {
  const principal = caller(...OWN);
  const all = Prisma.sql`
    SELECT id FROM messages m WHERE ${visibleTo(principal)} AND status = 'journalized' ORDER BY received_at DESC, id DESC`;
  const expected = (await store.query<{ id: string }>(CVR, all, 'fresh')).map(({ id }) => id);
  const { limit: _, cursor: __, ...query } = SearchBody.parse({ status: ['journalized'], sort: '-receivedAt' });
  const columns = { select: Prisma.sql`m.id`, tables: Prisma.empty };
  for (const limit of [1, 3, 50]) {
    const found: string[] = [];
    let from: Position | undefined;
    do {
      const { statement, plan } = statementOf(principal, query, { ...columns, limit, from, now: new Date() });
      const { items, next } = cutPage(await store.query<PageRow>(CVR, statement, plan), limit);
      found.push(...items.map(({ id }) => id));
      from = next;
    } while (from);
    expect(found).toEqual(expected);
  }
});

describe.each([
  ['SeAlle', caller(...ALL)],
  ['Læs', caller(...OWN)],
  ['Læs and Drift', caller(...OWN, 'Indbakke.Drift')],
])('of the history, with %s,', (_who, principal) => {
  const middle = { isTimeless: false, time: hoursAgo(MANY / 120), id: randomUUID() };

  it.each([...FILTERS.map((filter) => [filter, FEW] as const), ...SPARSE.map((filter) => [filter, BOUND] as const)])(
    'a list of %j reads few messages',
    async (filter, most) => {
      for (const sort of ['receivedAt', '-receivedAt']) {
        for (const from of [undefined, middle]) {
          const { limit, cursor: _, ...query } = SearchBody.parse({ status: ['journalized'], ...filter, sort });
          const columns = { select: Prisma.sql`m.id`, tables: Prisma.empty };
          const page = { ...columns, limit, from, now: new Date() };
          const read = await readBy(statementOf(principal, query, page).statement);
          expect(read, `${sort} ${from ? 'in the middle' : ''}`).toBeLessThan(most);
        }
      }
    },
  );

  it.each([...FILTERS, ...SPARSE].filter((filter) => !('receivedFrom' in filter)))(
    'a list of %j by the letter’s date reads few messages',
    async (filter) => {
      for (const sort of ['letterAt', '-letterAt']) {
        const { limit, cursor: _, ...query } = SearchBody.parse({ status: ['journalized'], ...filter, sort });
        const page = { select: Prisma.sql`m.id`, tables: Prisma.empty, limit, from: middle, now: new Date() };
        expect(await readBy(statementOf(principal, query, page).statement), sort).toBeLessThan(BOUND);
      }
    },
  );

  it.each([...FILTERS, ...SPARSE])('a summary of %j reads few messages', async (filter) => {
    const { limit: _, cursor: __, sort: ___, ...query } = SearchBody.parse({ status: ['journalized'], ...filter });
    expect(await readBy(countsOf(principal, query, new Date()))).toBeLessThan(BOUND);
  });
});

describe('where some cases are restricted to others, and each journalization is looked up,', () => {
  const principal = caller(...ALL);
  const twice = (bound: number) => 2 * bound;

  beforeAll(async () => {
    const restrict = `UPDATE cases SET restricted_to = '{somebody}' WHERE municipality = $1 AND case_id LIKE 'K-%77'`;
    await database.sql(restrict, [CVR]);
    await database.sql('ANALYZE cases', []);
  });

  it.each([...FILTERS.map((filter) => [filter, FEW] as const), ...SPARSE.map((filter) => [filter, BOUND] as const)])(
    'a list and a summary of %j read few messages',
    async (filter, most) => {
      const { limit, cursor: _, sort: __, ...query } = SearchBody.parse({ status: ['journalized'], ...filter });
      const columns = { select: Prisma.sql`m.id`, tables: Prisma.empty };
      const page = { ...columns, limit, from: undefined, now: new Date() };
      for (const sort of ['receivedAt', '-receivedAt'] as const) {
        const { statement } = statementOf(principal, { ...query, sort }, page);
        expect(await readBy(statement), sort).toBeLessThan(twice(most));
      }
      expect(await readBy(countsOf(principal, query, new Date()))).toBeLessThan(twice(BOUND));
    },
  );
});

it('of many rejected messages, a list and a summary read those whose outcome is open only', async () => {
  await database.sql(
    `UPDATE messages SET status = 'rejected', status_before = 'pending', rejection_reason = 'unwanted',
       outcome_at = CASE WHEN external_id::int % 400 > 0 THEN now() END, outcome_by = CASE WHEN external_id::int % 400 > 0 THEN 'test' END
     WHERE municipality = $1 AND external_id::int > ${MANY / 2}`,
    [CVR],
  );
  await database.sql('ANALYZE messages', []);
  const principal = caller(...ALL);
  const { limit, cursor: _, ...query } = SearchBody.parse({ status: ['rejected'], outcome: 'open' });
  const page = { select: Prisma.sql`m.id`, tables: Prisma.empty, limit, from: undefined, now: new Date() };
  expect(await readBy(statementOf(principal, query, page).statement)).toBeLessThan(50);
  const { sort: __, ...filter } = query;
  expect(await readBy(countsOf(principal, filter, new Date()))).toBeLessThan(50);
});
