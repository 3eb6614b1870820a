import { randomUUID } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ODENSKOV, startTestStack, type TestStack } from '../../../infra/src/testkit/stack.js';
import { writeSuggestions } from '../../../services/journaler/src/suggestion/write-suggestions.js';
import { type Actor, INDBAKKE, SERVICEPLATFORMEN } from '../../src/audit/index.js';
import { type Change, type ChangeColumns, writeChange } from '../../src/lifecycle/index.js';
import { openStore, Prisma, type Store } from '../../src/store/index.js';
import { deliverMemo } from '../inbox/support.js';

// writeChange writes one change, the statements of intake and suggestions write many. Their rows must be the same.

let stack: TestStack;
let store: Store;

beforeAll(async () => {
  stack = await startTestStack();
  store = openStore({ url: stack.serviceUrl, connections: 1, name: 'changes' });
});

afterAll(async () => {
  await store.close();
  await stack.close();
});

const make = (id: string, change: Change, actor: Actor, at: Date, columns?: ChangeColumns) =>
  store.withTenantConnection(ODENSKOV, (connection) => {
    const principal = { actor, municipality: ODENSKOV, roles: new Set<never>(), teams: [] };
    return writeChange(connection, { principal, id, expectedVersion: undefined, at }, change, columns);
  });

/** The only row, without these columns. */
async function rowOf(table: string, where: string, values: unknown[], without: readonly string[]) {
  const rows = await stack.sql(`SELECT * FROM ${table} WHERE ${where}`, values);
  expect(rows).toHaveLength(1);
  return Object.fromEntries(Object.entries(rows[0] ?? {}).filter(([column]) => !without.includes(column)));
}

/** The event and the audit row of a change, without the message’s id, what numbering writes, and these columns; the two must have
 * the same id. */
async function recordsOf(messageId: string, change: Change, ...others: string[]) {
  const without = ['message_id', 'position', 'hash', ...others];
  const event = await rowOf('events', 'message_id = $1 AND type = $2', [messageId, change], without);
  const { id } = event;
  const audit = await rowOf(
    'audit_events',
    'message_id = $1 AND id = $2 AND action = $3',
    [messageId, id, change],
    without,
  );
  return [event, audit].map((row) => ({ ...row, id: row.id === id }));
}

const lifeOf = async (id: string) => {
  const [row] = await stack.sql<{ status_at: Date }>(
    'SELECT status, status_before, held_cause, status_at, status_by FROM messages WHERE id = $1',
    [id],
  );
  return row as { status_at: Date };
};

// Intake makes the first change of a message, so it is compared with a later one that has the same effect.
const OWN = ['type', 'action', 'version', 'details', 'origin', 'trace'];

/** A message that is held, since another with its id exists. */
async function takeInHeld(): Promise<string> {
  const messageUUID = randomUUID();
  await deliverMemo(stack, { messageUUID, subject: 'First' });
  return deliverMemo(stack, { messageUUID, subject: 'Second' });
}

describe('a change written in a batch has the same rows as one written alone:', () => {
  it('suggested', async () => {
    await stack.sql(`INSERT INTO cases (municipality, case_id) VALUES ($1, 'K-1')`, [ODENSKOV]);
    const [one, other] = [await deliverMemo(stack), await deliverMemo(stack)];
    const at = new Date('2026-11-02T08:00:00.123Z');
    const suggestion = { caseId: 'K-1', basis: 'message-uuid', sender: 'other' } as const;
    const withParty = { ...suggestion, party: 'mother', warning: 'not-the-recipient' } as const;
    const message = {
      id: one,
      kind: 'enquiry',
      senderId: '',
      references: [],
      suggestedBefore: null,
      waited: null,
    } as const;

    await store.withTenantConnection(ODENSKOV, (connection) =>
      writeSuggestions(connection, ODENSKOV, [{ message, suggestion: withParty, trace: undefined }], at),
    );
    await make(other, 'suggested', INDBAKKE, at, {
      set: Prisma.sql`
        kind = 'reply', suggestion_run_at = ${at}::timestamptz, suggested_case_id = ${suggestion.caseId},
        suggestion_basis = ${suggestion.basis}, suggestion_sender = ${suggestion.sender},
        suggestion_party = ${withParty.party}, suggestion_warning = ${withParty.warning}`,
      details: suggestion,
    });

    const ids = ['id', 'external_id', 'fingerprint', 'transmission_id'];
    const times = ['received_at', 'first_offered_at', 'letter_at', 'status_at', 'next_enqueue_at'];
    const messageOf = (id: string) => rowOf('messages', 'id = $1', [id], [...ids, ...times]);
    expect(await messageOf(one)).toEqual(await messageOf(other));
    expect(await recordsOf(one, 'suggested')).toEqual(await recordsOf(other, 'suggested'));
  });

  it('accepted', async () => {
    const [accepted, held] = [await deliverMemo(stack), await takeInHeld()];
    const life = await lifeOf(accepted);
    await make(held, 'released', SERVICEPLATFORMEN, life.status_at);
    expect(await lifeOf(held)).toEqual(life);
    expect(await recordsOf(held, 'released', ...OWN)).toEqual(await recordsOf(accepted, 'accepted', ...OWN));
  });

  it('held', async () => {
    const id = await takeInHeld();
    const life = await lifeOf(id);
    await make(id, 'rejected', SERVICEPLATFORMEN, life.status_at);
    await make(id, 'reopened', SERVICEPLATFORMEN, life.status_at);
    expect(await lifeOf(id)).toEqual(life);
    expect(await recordsOf(id, 'reopened', ...OWN)).toEqual(await recordsOf(id, 'held', ...OWN));
  });
});

it('nothing else in the services writes events', () => {
  const root = fileURLToPath(new URL('../../../', import.meta.url));
  const files = ['shared/src', 'services'].flatMap((folder) =>
    readdirSync(root + folder, { recursive: true, encoding: 'utf8' }).map((file) => `${folder}/${file}`),
  );
  const sources = files.filter((file) => file.endsWith('.ts') && !/node_modules|dist|generated|test/.test(file));
  const writers = sources.filter((file) => /INTO events|\bevent\.create/.test(readFileSync(root + file, 'utf8')));
  expect(writers).toEqual(['shared/src/lifecycle/record-changes.ts']);
});
