import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createTestDatabase, type TestDatabase } from '../../../infra/src/testkit/database.js';
import {
  type DataConstraints,
  type Limits,
  type Principal,
  type Role,
  rolesBeyond,
  visibleTo,
  withinLimitsOf,
} from '../../src/access/index.js';
import { Problem } from '../../src/errors/index.js';
import { changeMessage } from '../../src/inbox/index.js';
import { createLog } from '../../src/log/index.js';
import { repeat } from '../../src/service/repeat.js';
import { asMunicipality, openStore, Prisma, run, type Store } from '../../src/store/index.js';

// @module-tag long

// The rule of data constraints, written a second time, plainly, and held against what the database says: of every combination of
// what contact points are set up with, for callers whose roles are limited each in its own way.

const { sql } = Prisma;
const [CVR, OTHER_CVR] = ['22222222', '33333333'];
const UNIT = 'f3a9c1d2-5b64-4c8e-9a0f-1d2e3c4b5a69';
const SYSTEM = '7c2b1f0e-9d84-4a63-b5c7-2e1f0a9b8c7d';

type Point = Readonly<Record<keyof DataConstraints, string | null>>;
/** What a contact point may be set up with; the second one is met by none of the limits below. */
const VALUES = {
  kle: [null, '05.01.00', '27.24.00', '27.24.00 G01'],
  orgUnit: [null, randomUUID(), UNIT],
  sensitivity: [null, 'Andet', 'VIP_SAGER'],
  itSystem: [null, randomUUID(), SYSTEM],
} as const;
const POINTS: Point[] = VALUES.kle.flatMap((kle) =>
  VALUES.orgUnit.flatMap((orgUnit) =>
    VALUES.sensitivity.flatMap((sensitivity) =>
      VALUES.itSystem.map((itSystem) => ({ kle, orgUnit, sensitivity, itSystem })),
    ),
  ),
);

const KINDS: DataConstraints[] = [
  { kle: ['27'] },
  { orgUnit: [UNIT] },
  { sensitivity: ['vip_sager'] },
  { itSystem: [SYSTEM] },
];
const ONE_SET: DataConstraints[] = Array.from({ length: 15 }, (_, n) =>
  Object.assign({}, ...KINDS.filter((_, at) => (n + 1) & (1 << at))),
);
const [KLE, OTHER_KLE, NO_KLE, UNITS] = [
  { kle: ['27.24.00.G01'] },
  { kle: ['05', '27.24'] },
  { kle: ['2', '72'] },
  ONE_SET[1],
];
/** Sets, of which one must be met; undefined = not limited. */
const SETS: (readonly DataConstraints[] | undefined)[] = [
  undefined,
  ...ONE_SET.map((set) => [set]),
  [KLE],
  [NO_KLE],
  [OTHER_KLE, { ...KLE, ...UNITS }],
  ...ONE_SET.slice(1, 4).map((set) => [NO_KLE, set, { ...OTHER_KLE, ...UNITS }]),
];

const meets = (point: Point, set: DataConstraints) =>
  (Object.keys(set) as (keyof DataConstraints)[]).every((kind) => {
    const [value, allowed] = [point[kind], set[kind] as readonly string[]];
    if (value === null) return false;
    if (kind === 'kle') return allowed.some((number) => `${value.replace(' ', '.')}.`.startsWith(`${number}.`));
    return allowed.includes(kind === 'sensitivity' ? value.toLowerCase() : value);
  });
const isWithin = (point: Point | undefined, sets: readonly DataConstraints[] | undefined) =>
  sets === undefined || (point !== undefined && sets.some((set) => meets(point, set)));

const FATES = ['nobody’s', 'mine', 'held', 'held, then rejected', 'deleted'] as const;
interface Message {
  readonly id: string;
  readonly fate: (typeof FATES)[number];
  /** Undefined: to no contact point. */
  readonly point: Point | undefined;
}
const MESSAGES: Message[] = [...POINTS, undefined].flatMap((point) =>
  FATES.map((fate) => ({ id: randomUUID(), fate, point })),
);
const OF_MESSAGES = [
  'message_details',
  'message_parties',
  'message_words',
  'message_keys',
  'message_contents',
  'documents',
  'files',
  'reply_references',
  'journalizations',
  'legal_holds',
];

let database: TestDatabase;
let store: Store;

beforeAll(async () => {
  database = await createTestDatabase();
  store = openStore({ url: database.url, connections: 2, name: 'data-constraints' });
  const rows = MESSAGES.map(({ id, fate, point }) => ({ id, fate, point: point && String(POINTS.indexOf(point)) }));
  await database.sql(`INSERT INTO municipalities (cvr, name) VALUES ($1, 'Kommune'), ($2, 'En anden')`, [
    CVR,
    OTHER_CVR,
  ]);
  await database.sql(
    `INSERT INTO contact_points (municipality, contact_point_id, name, kle, org_unit, sensitivity, it_system)
     SELECT $1, n - 1, 'Navn', p->>'kle', p->>'orgUnit', p->>'sensitivity', p->>'itSystem'
     FROM jsonb_array_elements($2) WITH ORDINALITY AS points (p, n)`,
    [CVR, JSON.stringify(POINTS)],
  );
  await database.sql(
    `INSERT INTO messages (id, municipality, channel, external_id, fingerprint, kind, contact_point_id, received_at, letter_at,
       transmission_id, document_count, file_count, content_size, remarks, status, status_before, held_cause, status_at, status_by,
       next_enqueue_at, assignee_kind, assignee_id, suggestion_run_at)
     SELECT id, $1, 'sf1606', id::text, 'x', 'enquiry', point, now(), now(), gen_random_uuid(), 1, 1, 1, '[]',
       CASE fate WHEN 'held' THEN 'held' WHEN 'held, then rejected' THEN 'rejected' WHEN 'deleted' THEN 'deleted' ELSE 'pending' END,
       CASE fate WHEN 'held, then rejected' THEN 'held' END, CASE WHEN fate LIKE 'held%' THEN 'conflict' END, now(), 'test', now(),
       CASE fate WHEN 'mine' THEN 'user' END, CASE fate WHEN 'mine' THEN 'myself' END, now()
     FROM jsonb_to_recordset($2) AS m (id uuid, fate text, point text)`,
    [CVR, JSON.stringify(rows)],
  );
  await database.sql(
    `INSERT INTO messages (id, municipality, channel, external_id, fingerprint, kind, received_at, letter_at, transmission_id,
       document_count, file_count, content_size, remarks, status, status_at, status_by, next_enqueue_at)
     VALUES ($1, $2, 'sf1606', 'e', 'x', 'enquiry', now(), now(), gen_random_uuid(), 1, 1, 1, '[]', 'pending', now(), 'test', now())`,
    [randomUUID(), OTHER_CVR],
  );
  for (const statement of [
    `message_details (message_id, municipality, subject, sender_id, sender_id_type, sender_name, contact_info, original_format, original)
     SELECT id, municipality, 's', '4101019999', 'CPR', 'n', '[]', 'memo', 'x'`,
    `message_parties (message_id, municipality, role, number, status, received_at, letter_at)
     SELECT id, municipality, 'sender', '4101019999', status, received_at, letter_at`,
    `message_words (message_id, municipality, status, received_at, words) SELECT id, municipality, status, received_at, ''`,
    `message_keys (message_id, municipality, key_id, wrapped_key) SELECT id, municipality, 'k', 'w'`,
    `message_contents (message_id, municipality, container) SELECT id, municipality, 'c'`,
    `documents (message_id, municipality, position, role) SELECT id, municipality, 0, 'main'`,
    `files (message_id, municipality, id, document_position, position, file_name, encoding_format, language, status, size)
     SELECT id, municipality, gen_random_uuid(), 0, 0, 'f', 'text/plain', 'da', 'missing', 0`,
    `reply_references (message_id, municipality, position, kind, value) SELECT id, municipality, 0, 'case-id', 'K-1'`,
    `journalizations (message_id, municipality, case_id, at, by) SELECT id, municipality, 'K-1', now(), 'test'`,
    `legal_holds (message_id, municipality, id, reason, set_at, set_by) SELECT id, municipality, gen_random_uuid(), 'r', now(), 'test'`,
  ])
    await database.sql(`INSERT INTO ${statement} FROM messages WHERE municipality = $1`, [CVR]);
});

afterAll(async () => {
  await store.close();
  await database.drop();
});

function caller(limits: { [R in Role]?: Limits[R] | undefined }, ...roles: Role[]): Principal {
  const known = Object.fromEntries(Object.entries(limits).filter(([, sets]) => sets !== undefined));
  const actor = { kind: 'user', id: 'myself' } as const;
  return { municipality: CVR, actor, roles: new Set(roles), teams: [], limits: known };
}

const READ: Role = 'IndkomneDokumenter.Læs';
const ALL: Role = 'IndkomneDokumenter.SeAlle';
const REJECT: Role = 'IndkomneDokumenter.Afvis';
const SETS_UP: Role = 'Indbakke.Opsætning';

const isHeld = ({ fate }: Message) => fate.startsWith('held');
function shouldSee({ roles, limits = {} }: Principal, message: Message): boolean {
  if (message.fate === 'deleted') return false;
  if (isHeld(message)) return roles.has(SETS_UP);
  const isOfAll = roles.has(ALL) && isWithin(message.point, limits[ALL]);
  return isWithin(message.point, limits[READ]) && (isOfAll || message.fate === 'mine');
}
const idsOf = (should: (message: Message) => boolean) =>
  MESSAGES.filter(should)
    .map(({ id }) => id)
    .toSorted();

describe.each(SETS.map((limited) => ({ limited })))('Læs limited to $limited', ({ limited }) => {
  it('and SeAlle otherwise shows what both let through, and the caller’s own; Afvis otherwise still does not reach all of it', async () => {
    for (const [at, ofAll] of SETS.entries()) {
      const ofReject = SETS[(at + 1) % SETS.length];
      const principal = caller({ [READ]: limited, [ALL]: ofAll, [REJECT]: ofReject }, READ, ALL, REJECT, SETS_UP);
      const statement = sql`SELECT m.id, ${rolesBeyond(principal)} AS beyond FROM messages m WHERE ${visibleTo(principal)} ORDER BY m.id`;
      const rows = await withinLimitsOf(principal, () => store.query<Seen>(CVR, statement, at % 2 ? 'kept' : 'fresh'));
      expect(rows.map(({ id }) => id)).toEqual(idsOf((message) => shouldSee(principal, message)));
      const beyond = rows.filter((row) => row.beyond.includes(REJECT)).map(({ id }) => id);
      const isBeyond = (message: Message) => !isHeld(message) && !isWithin(message.point, ofReject);
      expect(beyond).toEqual(idsOf((message) => shouldSee(principal, message) && isBeyond(message)));
    }
  });

  it('without SeAlle shows of the caller’s own what it lets through', async () => {
    const principal = caller({ [READ]: limited }, READ);
    const statement = sql`SELECT m.id FROM messages m WHERE ${visibleTo(principal)} ORDER BY m.id`;
    const rows = await store.query<Seen>(CVR, statement, 'fresh');
    expect(rows.map(({ id }) => id)).toEqual(idsOf((message) => shouldSee(principal, message)));
  });

  it('a statement without a condition sees that at most, in each way that there is', async () => {
    const principal = caller({ [READ]: limited }, READ);
    const expected = idsOf(
      (message) => isHeld(message) || message.fate === 'deleted' || isWithin(message.point, limited),
    );
    const bare = sql`SELECT id FROM messages ORDER BY id`;
    const ways: (() => Promise<readonly { id: string }[]>)[] = [
      () => store.query(CVR, bare, 'kept'),
      () => store.query(CVR, bare, 'fresh'),
      () => store.withTenantConnection(CVR, (connection) => run(connection, bare)),
      () => store.withTenant(CVR, (tx) => tx.message.findMany({ select: { id: true }, orderBy: { id: 'asc' } })),
      ...OF_MESSAGES.map(
        (table) => () =>
          store.query<Seen>(CVR, sql`SELECT message_id AS id FROM ${Prisma.raw(table)} ORDER BY message_id`, 'fresh'),
      ),
    ];
    for (const way of ways) {
      // Beside a caller without limits, on the same connections.
      const [rows, all] = await Promise.all([withinLimitsOf(principal, way), way()]);
      expect(rows.map(({ id }) => id)).toEqual(expected);
      expect(all).toHaveLength(MESSAGES.length);
    }
  });
});

interface Seen {
  readonly id: string;
  readonly beyond: readonly string[];
}

it('a change is refused for what it is: not seen, seen but beyond the role, or not possible now', async () => {
  const limits = { [READ]: [{ kle: ['27'] }], [REJECT]: [{ orgUnit: [UNIT] }] };
  const principal = caller(limits, READ, ALL, REJECT);
  const isPossible = { condition: sql`false`, otherwise: () => new Problem('wrong-status', 'Not in this test.') };
  for (const message of MESSAGES.filter(({ fate }) => fate === 'nobody’s')) {
    const request = { principal, id: message.id, expectedVersion: undefined, at: new Date() };
    const refusal = await withinLimitsOf(principal, () =>
      changeMessage(store, request, 'rejected', { isPossible }),
    ).catch((error: Problem) => error.code);
    const beyond = isWithin(message.point, limits[REJECT]) ? 'wrong-status' : 'role-missing';
    expect(refusal).toBe(shouldSee(principal, message) ? beyond : 'not-found');
  }
});

it('a part that is done as another municipality is not limited, and what follows is again', async () => {
  const principal = caller({ [READ]: [{ kle: ['27'] }] }, READ);
  const count = sql`SELECT count(*)::int FROM messages`;
  const counts = await withinLimitsOf(principal, () =>
    store.withTenantConnection(CVR, async (connection) => {
      const counted = async () => (await run<{ count: number }>(connection, count))[0]?.count;
      return [await counted(), await asMunicipality(connection, OTHER_CVR, counted), await counted()];
    }),
  );
  const seen = MESSAGES.filter(
    (message) => isHeld(message) || message.fate === 'deleted' || isWithin(message.point, [{ kle: ['27'] }]),
  );
  expect(counts).toEqual([seen.length, 1, seen.length]);
});

it('a sweep that a call with limits begins is not limited', async () => {
  const principal = caller({ [READ]: [{ kle: ['27'] }] }, READ);
  const log = createLog('test', 'silent');
  const rows = await new Promise<readonly Seen[]>((resolve) => {
    const sweep = repeat(
      'read',
      3_600_000,
      log,
      async () => {
        resolve(await store.query<Seen>(CVR, sql`SELECT id FROM messages`, 'kept'));
        void sweep.stop();
      },
      0,
    );
    withinLimitsOf(principal, () => sweep.start());
  });
  expect(rows).toHaveLength(MESSAGES.length);
});

it('a constraint that the database does not know is met by none', async () => {
  const sets = [{ tomorrow: ['27'] }, { tomorrow: ['27'], kle: ['27'] }] as unknown as DataConstraints[];
  const principal = caller({ [READ]: sets, [ALL]: sets }, READ, ALL);
  const statement = sql`SELECT FROM messages m WHERE ${visibleTo(principal)}`;
  expect(await store.query(CVR, statement, 'fresh')).toEqual([]);
  const left = await withinLimitsOf(principal, () =>
    store.query<Seen>(CVR, sql`SELECT id FROM messages ORDER BY id`, 'fresh'),
  );
  expect(left.map(({ id }) => id)).toEqual(idsOf((message) => isHeld(message) || message.fate === 'deleted'));
});
