import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createTestDatabase, runSql } from '../../../infra/src/testkit/database.js';
import { ROLES } from '../../src/access/index.js';
import {
  STATUSES,
  type Status,
  TRANSITIONS,
  type Transition,
  type TransitionRequest,
  transition,
} from '../../src/lifecycle/index.js';
import { newId, openStore, registerMunicipality, type Store } from '../../src/store/index.js';

const MUNICIPALITY = '22222222';
const ACTOR = { kind: 'user', id: 'caseworker-1' } as const;
const AT = new Date('2026-11-02T08:00:00.000Z');

let database: Awaited<ReturnType<typeof createTestDatabase>>;
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

/** What a message can be, with what it was before for a rejected one. */
interface Standing {
  readonly status: Status;
  readonly before?: Status;
}

const STANDINGS: Standing[] = Object.keys(STATUSES).flatMap((status): Standing[] =>
  status === 'rejected'
    ? [
        { status, before: 'pending' },
        { status, before: 'held' },
      ]
    : [{ status: status as Status }],
);

type Step = TransitionRequest['transition'];
const STEPS = Object.keys(TRANSITIONS).filter((name) => !['accepted', 'held'].includes(name)) as Step[];

const PAIRS = STANDINGS.flatMap((standing) => STEPS.map((step) => ({ ...standing, step })));
const allows = ({ status, step }: { status: Status; step: Step }) =>
  (TRANSITIONS[step].from as readonly Status[]).includes(status);

async function messageThatIs({ status, before }: Standing): Promise<string> {
  const id = newId();
  const held = status === 'held' || before === 'held';
  await runSql(
    database.ownerUrl,
    `INSERT INTO messages (id, municipality, channel, external_id, fingerprint, kind, received_at, letter_at, transmission_id,
       document_count, file_count, content_size, remarks, status, status_before, held_cause, status_at, status_by, version,
       next_enqueue_at)
     VALUES ($1::uuid, $2, 'sf1606', $1::uuid::text, 'f', 'enquiry', now(), now(), $1::uuid, 0, 0, 0, '[]', $3, $4, $5, now(), 'test', 7, now())`,
    [id, MUNICIPALITY, status, before ?? null, held ? 'conflict' : null],
  );
  return id;
}

const move = (messageId: string, step: Step, more: Partial<TransitionRequest> = {}) =>
  store.withTenant(MUNICIPALITY, (tx) =>
    transition(tx, {
      messageId,
      municipality: MUNICIPALITY,
      transition: step,
      expectedVersion: 7,
      actor: ACTOR,
      at: AT,
      ...more,
    }),
  );

const rowOf = async (id: string) => {
  const [row] = await runSql(
    database.ownerUrl,
    'SELECT status, status_before, held_cause, status_at, status_by, version FROM messages WHERE id = $1',
    [id],
  );
  return row;
};

const tracesOf = (table: 'events' | 'audit_events', id: string) =>
  runSql<Record<string, unknown>>(database.ownerUrl, `SELECT * FROM ${table} WHERE message_id = $1`, [id]);

describe('a step that the table has', () => {
  it.each(PAIRS.filter(allows))(
    '$step moves a message that is $status (before: $before)',
    async ({ step, ...standing }) => {
      const id = await messageThatIs(standing);
      const { to } = TRANSITIONS[step];
      const status = to === 'before' ? (standing.before as Status) : to;

      expect(await move(id, step)).toEqual({ status, version: 8 });

      const wasHeld = standing.status === 'held' || standing.before === 'held';
      const statusBefore = status === 'rejected' ? standing.status : null;
      expect(await rowOf(id)).toEqual({
        status,
        status_before: statusBefore,
        held_cause: wasHeld && (status === 'held' || statusBefore === 'held') ? 'conflict' : null,
        status_at: AT,
        status_by: ACTOR.id,
        version: 8,
      });
      const [event, ...moreEvents] = await tracesOf('events', id);
      expect(moreEvents).toEqual([]);
      expect(event).toMatchObject({
        municipality: MUNICIPALITY,
        type: step,
        status,
        version: 8,
        at: AT,
        position: null,
      });
      const [audit, ...moreAudits] = await tracesOf('audit_events', id);
      expect(moreAudits).toEqual([]);
      expect(audit).toMatchObject({ actor_kind: 'user', actor: ACTOR.id, action: step, at: AT, details: {} });
    },
  );
});

describe('a step that the table has not', () => {
  it.each(PAIRS.filter((pair) => !allows(pair)))(
    '$step is refused for a message that is $status (before: $before), without a trace',
    async ({ step, ...standing }) => {
      const id = await messageThatIs(standing);
      const before = await rowOf(id);
      await expect(move(id, step)).rejects.toMatchObject({
        code: 'wrong-status',
        detail: expect.stringContaining(`is ${standing.status}`),
      });
      expect(await rowOf(id)).toEqual(before);
      expect(await tracesOf('events', id)).toEqual([]);
      expect(await tracesOf('audit_events', id)).toEqual([]);
    },
  );
});

describe('transition', () => {
  it('refuses a version that is not the one of now', async () => {
    const id = await messageThatIs({ status: 'pending' });
    const detail = 'The message is at version 7 now. Read it again.';
    await expect(move(id, 'journalized', { expectedVersion: 6 })).rejects.toMatchObject({
      code: 'version-changed',
      detail,
    });
  });

  it('takes any version when the caller expects none', async () => {
    const id = await messageThatIs({ status: 'pending' });
    expect(await move(id, 'journalized', { expectedVersion: undefined })).toMatchObject({ version: 8 });
  });

  it('says version-changed before wrong-status: the caller must read again first', async () => {
    const id = await messageThatIs({ status: 'deleted' });
    await expect(move(id, 'journalized', { expectedVersion: 6 })).rejects.toMatchObject({ code: 'version-changed' });
  });

  it('finds nothing that is not there, or is another municipality’s', async () => {
    await expect(move(randomUUID(), 'journalized')).rejects.toMatchObject({ code: 'not-found' });
    const id = await messageThatIs({ status: 'pending' });
    const request = { messageId: id, municipality: '33333333', transition: 'journalized', expectedVersion: 7 } as const;
    const foreign = store.withTenant('33333333', (tx) => transition(tx, { ...request, actor: ACTOR, at: AT }));
    await expect(foreign).rejects.toMatchObject({ code: 'not-found' });
  });

  it('makes the second of two wait for the first, and refuses it then', async () => {
    const id = await messageThatIs({ status: 'pending' });
    let letGo = () => {};
    const first = await new Promise<{ ended: Promise<void> }>((moved) => {
      const ended = store.withTenant(MUNICIPALITY, async (tx) => {
        await transition(tx, {
          messageId: id,
          municipality: MUNICIPALITY,
          transition: 'journalized',
          expectedVersion: 7,
          actor: ACTOR,
          at: AT,
        });
        await new Promise<void>((resolve) => {
          letGo = resolve;
          moved({ ended });
        });
      });
    });
    const second = move(id, 'rejected').catch((error: { code: string }) => error.code);
    const waiting = `SELECT FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'`;
    await expect.poll(() => runSql(database.ownerUrl, waiting)).toHaveLength(1);
    letGo();
    await first.ended;
    expect(await second).toBe('version-changed');
    expect(await rowOf(id)).toMatchObject({ status: 'journalized', version: 8 });
  });

  it('lets one of many through', async () => {
    const id = await messageThatIs({ status: 'pending' });
    const steps = ['journalized', 'rejected', 'journalized', 'rejected', 'journalized'] as const;
    const outcomes = await Promise.allSettled(steps.map((step) => move(id, step)));
    expect(outcomes.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
    const codes = outcomes.flatMap((outcome) => (outcome.status === 'rejected' ? [outcome.reason.code] : []));
    expect(new Set(codes)).toEqual(new Set(['version-changed']));
    expect(await tracesOf('events', id)).toHaveLength(1);
  });

  it('writes the further columns and details that the step brings', async () => {
    const id = await messageThatIs({ status: 'pending' });
    await move(id, 'rejected', { set: { rejectionReason: 'unwanted' }, details: { reason: 'unwanted' } });
    const [row] = await runSql(database.ownerUrl, 'SELECT rejection_reason FROM messages WHERE id = $1', [id]);
    expect(row).toEqual({ rejection_reason: 'unwanted' });
    expect((await tracesOf('audit_events', id))[0]).toMatchObject({ details: { reason: 'unwanted' } });
  });
});

describe('the table', () => {
  it('leads to every status and leaves every status but deleted', () => {
    const rows = Object.values(TRANSITIONS);
    const reached = new Set<string>(rows.map(({ to }) => to));
    const left = new Set<string>(rows.flatMap(({ from }) => [...from]));
    const statuses = Object.keys(STATUSES);
    expect(statuses.filter((status) => !reached.has(status))).toEqual([]);
    expect(statuses.filter((status) => !left.has(status))).toEqual(['deleted']);
  });

  it('names roles that there are', () => {
    const names = Object.values(TRANSITIONS).flatMap(({ roles }) => [...roles] as string[]);
    expect(names.filter((name) => name !== 'Serviceplatformen' && !(name in ROLES))).toEqual([]);
  });

  it('knows the statuses that the database allows, and no other', async () => {
    const [row] = await runSql<{ clause: string }>(
      database.ownerUrl,
      `SELECT pg_get_constraintdef(oid) AS clause FROM pg_constraint WHERE conname = 'messages_status_check'`,
    );
    const allowed = [...(row?.clause ?? '').matchAll(/'([\w-]+)'/g)].map(([, word]) => word);
    expect(allowed.toSorted()).toEqual(Object.keys(STATUSES).toSorted());
  });

  it('knows the steps as the type of an event and as nothing else', () => {
    const names: Transition[] = ['accepted', 'held', ...STEPS];
    expect(names.toSorted()).toEqual(Object.keys(TRANSITIONS).toSorted());
  });
});
