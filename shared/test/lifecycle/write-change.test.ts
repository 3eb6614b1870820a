import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { registerMunicipality } from '../../../infra/src/local/register-municipality.js';
import { createTestDatabase, type TestDatabase } from '../../../infra/src/testkit/database.js';
import { type Principal, ROLES } from '../../src/access/index.js';
import {
  CHANGES,
  type Change,
  type ChangeColumns,
  type ChangeRequest,
  STATUSES,
  type Status,
  TRANSITIONS,
  writeChange,
} from '../../src/lifecycle/index.js';
import { newId, openStore, Prisma, type Store } from '../../src/store/index.js';

const MUNICIPALITY = '22222222';
const ACTOR = { kind: 'user', id: 'caseworker-1', onBehalfOf: 'caseworker-2' } as const;
const PRINCIPAL: Principal = { actor: ACTOR, municipality: MUNICIPALITY, roles: new Set(), teams: [] };
const AT = new Date('2026-11-02T08:00:00.000Z');
const HANDLED = new Date('2026-11-01T08:00:00.000Z');

let database: TestDatabase;
let store: Store;

beforeAll(async () => {
  database = await createTestDatabase();
  const registration = { name: 'Odenskov', takesReplies: true, takesEnquiries: true, contactPoints: [] };
  await registerMunicipality(database.ownerUrl, { cvr: MUNICIPALITY, ...registration });
  store = openStore({ url: database.url, connections: 4, name: 'lifecycle' });
});

afterAll(async () => {
  await store.close();
  await database.drop();
});

/** The status of a message; of a rejected one, also the status before. */
interface State {
  readonly status: Status;
  readonly before?: Status;
}

const STATES: State[] = Object.keys(STATUSES).flatMap((status): State[] =>
  status === 'rejected'
    ? [
        { status, before: 'pending' },
        { status, before: 'held' },
      ]
    : [{ status: status as Status }],
);

const NAMES = Object.keys(CHANGES) as Change[];
const PAIRS = STATES.flatMap((state) => NAMES.map((change) => ({ ...state, change })));
const allows = ({ status, change }: { status: Status; change: Change }) =>
  (CHANGES[change].from as readonly Status[]).includes(status);

async function messageThatIs({ status, before }: State): Promise<string> {
  const id = newId();
  const held = status === 'held' || before === 'held';
  const isHandled = ['journalized', 'rejected', 'deleted'].includes(status);
  await database.sql(
    `INSERT INTO messages (id, municipality, channel, external_id, fingerprint, kind, received_at, letter_at, transmission_id,
       document_count, file_count, content_size, remarks, status, status_before, held_cause, status_at, status_by, version,
       next_enqueue_at, handled_at)
     VALUES ($1::uuid, $2, 'sf1606', $1::uuid::text, 'f', 'enquiry', now(), now(), $1::uuid, 0, 0, 0, '[]', $3, $4, $5, now(), 'test', 7, now(), $6)`,
    [id, MUNICIPALITY, status, before ?? null, held ? 'conflict' : null, isHandled ? HANDLED : null],
  );
  return id;
}

const make = (id: string, change: Change, columns?: ChangeColumns, request: Partial<ChangeRequest> = {}) =>
  store.withTenantConnection(MUNICIPALITY, (connection) =>
    writeChange(connection, { principal: PRINCIPAL, id, expectedVersion: 7, at: AT, ...request }, change, columns),
  );

const rowOf = async (id: string) => {
  const [row] = await database.sql(
    'SELECT status, status_before, held_cause, status_at, status_by, handled_at, version FROM messages WHERE id = $1',
    [id],
  );
  return row as Record<string, unknown>;
};

const tracesOf = (table: 'events' | 'audit_events', id: string) =>
  database.sql<Record<string, unknown>>(`SELECT * FROM ${table} WHERE message_id = $1`, [id]);

describe('a change that the table allows', () => {
  it.each(PAIRS.filter(allows))('$change of a message that is $status (before: $before)', async (pair) => {
    const { change, ...state } = pair;
    const id = await messageThatIs(state);
    const before = await rowOf(id);
    const { to } = CHANGES[change];
    const status = to === 'same' ? state.status : to === 'before' ? (state.before as Status) : to;

    expect(await make(id, change)).toEqual({ status, version: 8 });

    const wasHeld = state.status === 'held' || state.before === 'held';
    const statusBefore = status === 'rejected' ? state.status : null;
    const moved = {
      status,
      status_before: statusBefore,
      held_cause: wasHeld && (status === 'held' || statusBefore === 'held') ? 'conflict' : null,
      status_at: AT,
      status_by: ACTOR.id,
      handled_at: status === 'journalized' || status === 'rejected' ? AT : status === 'deleted' ? HANDLED : null,
    };
    expect(await rowOf(id)).toEqual({ ...before, ...(to !== 'same' && moved), version: 8 });
    const [event, ...moreEvents] = await tracesOf('events', id);
    expect(moreEvents).toEqual([]);
    const recorded = { id: event?.id, municipality: MUNICIPALITY, message_id: id, at: AT, position: null };
    expect(event).toEqual({ ...recorded, type: change, status, version: 8, details: {}, trace: null });
    expect(await tracesOf('audit_events', id)).toEqual([
      {
        ...recorded,
        actor_kind: 'user',
        actor: ACTOR.id,
        on_behalf_of: ACTOR.onBehalfOf,
        role: null,
        origin: null,
        action: change,
        result: 'done',
        citizen: null,
        details: {},
        hash: null,
      },
    ]);
  });
});

describe('a change that the table does not allow', () => {
  it.each(PAIRS.filter((pair) => !allows(pair)))(
    '$change of a message that is $status (before: $before) is refused without a trace',
    async ({ change, ...state }) => {
      const id = await messageThatIs(state);
      const before = await rowOf(id);
      await expect(make(id, change)).rejects.toMatchObject({
        code: 'wrong-status',
        detail: expect.stringContaining(`is ${state.status}`),
      });
      expect(await rowOf(id)).toEqual(before);
      expect(await tracesOf('events', id)).toEqual([]);
      expect(await tracesOf('audit_events', id)).toEqual([]);
    },
  );
});

describe('a change', () => {
  it('refuses a version that is not the current one', async () => {
    const id = await messageThatIs({ status: 'pending' });
    const detail = 'The message is now at version 7. Read it again.';
    await expect(make(id, 'journalized', {}, { expectedVersion: 6 })).rejects.toMatchObject({
      code: 'version-changed',
      detail,
    });
  });

  it('accepts any version when the caller expects none', async () => {
    const id = await messageThatIs({ status: 'pending' });
    expect(await make(id, 'journalized', {}, { expectedVersion: undefined })).toMatchObject({ version: 8 });
  });

  it('reports version-changed before wrong-status: the caller must read again first', async () => {
    const id = await messageThatIs({ status: 'deleted' });
    await expect(make(id, 'journalized', {}, { expectedVersion: 6 })).rejects.toMatchObject({
      code: 'version-changed',
    });
  });

  it('finds no message that does not exist or is another municipality’s', async () => {
    await expect(make(randomUUID(), 'journalized')).rejects.toMatchObject({ code: 'not-found' });
    const id = await messageThatIs({ status: 'pending' });
    const request = { principal: { ...PRINCIPAL, municipality: '33333333' }, id, expectedVersion: 7, at: AT };
    const foreign = store.withTenantConnection('33333333', (connection) =>
      writeChange(connection, request, 'journalized'),
    );
    await expect(foreign).rejects.toMatchObject({ code: 'not-found' });
  });

  it('makes the second of two wait for the first, and then refuses it', async () => {
    const id = await messageThatIs({ status: 'pending' });
    let finish = () => {};
    const first = await new Promise<{ ended: Promise<void> }>((written) => {
      const ended = store.withTenantConnection(MUNICIPALITY, async (connection) => {
        await writeChange(connection, { principal: PRINCIPAL, id, expectedVersion: 7, at: AT }, 'journalized');
        await new Promise<void>((resolve) => {
          finish = resolve;
          written({ ended });
        });
      });
    });
    const second = make(id, 'rejected').catch((error: { code: string }) => error.code);
    const waiting = `SELECT FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'`;
    await expect.poll(() => database.sql(waiting)).toHaveLength(1);
    finish();
    await first.ended;
    expect(await second).toBe('version-changed');
    expect(await rowOf(id)).toMatchObject({ status: 'journalized', version: 8 });
  });

  it('succeeds for one of many', async () => {
    const id = await messageThatIs({ status: 'pending' });
    const changes = ['journalized', 'rejected', 'journalized', 'rejected', 'journalized'] as const;
    const outcomes = await Promise.allSettled(changes.map((change) => make(id, change)));
    expect(outcomes.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
    const codes = outcomes.flatMap((outcome) => (outcome.status === 'rejected' ? [outcome.reason.code] : []));
    expect(new Set(codes)).toEqual(new Set(['version-changed']));
    expect(await tracesOf('events', id)).toHaveLength(1);
  });

  it('writes its further columns and details', async () => {
    const id = await messageThatIs({ status: 'pending' });
    await make(id, 'rejected', { set: Prisma.sql`rejection_reason = 'unwanted'`, details: { reason: 'unwanted' } });
    const [row] = await database.sql('SELECT rejection_reason FROM messages WHERE id = $1', [id]);
    expect(row).toEqual({ rejection_reason: 'unwanted' });
    expect((await tracesOf('audit_events', id))[0]).toMatchObject({ details: { reason: 'unwanted' } });
  });
});

describe('the table', () => {
  it('leads to every status, and out of every status but deleted', () => {
    const rows = Object.values(TRANSITIONS);
    const reached = new Set<string>(rows.map(({ to }) => to));
    const left = new Set<string>(rows.flatMap(({ from }) => [...from]));
    const statuses = Object.keys(STATUSES);
    expect(statuses.filter((status) => !reached.has(status))).toEqual([]);
    expect(statuses.filter((status) => !left.has(status))).toEqual(['deleted']);
  });

  it('names existing roles', () => {
    const names = Object.values(CHANGES).flatMap(({ roles }) => [...roles] as string[]);
    expect(names.filter((name) => !['Serviceplatformen', 'Indbakke'].includes(name) && !(name in ROLES))).toEqual([]);
  });
});
