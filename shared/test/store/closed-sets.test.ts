import { afterAll, beforeAll, expect, it } from 'vitest';
import { createTestDatabase, type TestDatabase } from '../../../infra/src/testkit/database.js';
import { DocumentSummary } from '../../src/api/index.js';
import {
  CHANNELS,
  DELIVERIES,
  HANDOVER_REFUSALS,
  HANDOVER_STATUSES,
  HELD_CAUSES,
  KINDS,
  PARTY_RELATIONS,
  STATUSES,
  SUGGESTION_BASES,
  SUGGESTION_WARNINGS,
} from '../../src/lifecycle/index.js';

let database: TestDatabase;

beforeAll(async () => {
  database = await createTestDatabase();
});

afterAll(() => database.drop());

/** The words that a CHECK of the column allows. */
async function allowedIn(table: string, column: string): Promise<string[]> {
  const rows = await database.sql<{ clause: string }>(
    `SELECT pg_get_constraintdef(oid) AS clause FROM pg_constraint WHERE conrelid = $1::regclass AND contype = 'c'`,
    [table],
  );
  const clauses = rows.filter(({ clause }) => clause.startsWith(`CHECK ((${column} = `));
  return clauses.flatMap(({ clause }) => [...clause.matchAll(/'([\w-]+)'/g)].map(([, word = '']) => word)).toSorted();
}

// A value that the code has and the CHECK lacks would make every such message fail with send-again, forever.
it.each([
  ['messages', 'status', Object.keys(STATUSES)],
  ['messages', 'kind', Object.keys(KINDS)],
  ['messages', 'channel', Object.keys(CHANNELS)],
  ['messages', 'held_cause', Object.keys(HELD_CAUSES)],
  ['messages', 'assignee_kind', DocumentSummary.shape.assignee.unwrap().shape.kind.options],
  ['messages', 'suggestion_party', Object.keys(PARTY_RELATIONS)],
  ['messages', 'suggestion_warning', Object.keys(SUGGESTION_WARNINGS)],
  ['message_details', 'original_format', ['memo', 'sf2900']],
  ['sent_messages', 'delivery', Object.keys(DELIVERIES)],
  ['handovers', 'status', Object.keys(HANDOVER_STATUSES)],
  ['handovers', 'refusal_reason', Object.keys(HANDOVER_REFUSALS)],
  ['reply_references', 'kind', Object.keys(SUGGESTION_BASES)],
])('%s.%s allows what the code has, and nothing else', async (table, column, values) => {
  expect(await allowedIn(table, column)).toEqual([...values].toSorted());
});
