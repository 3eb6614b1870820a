import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type DatabaseBefore, databaseBefore } from './database-before.js';

let database: DatabaseBefore;

beforeAll(async () => {
  database = await databaseBefore('20261129000000_feed_and_audit');
  await database.sql(`INSERT INTO municipalities (cvr, name) VALUES ('22222222', 'Odenskov')`);
});
afterAll(() => database.drop());

async function insertMessage(suggestedCaseId: string | null): Promise<string> {
  const id = randomUUID();
  await database.sql(
    `INSERT INTO messages (id, municipality, channel, external_id, fingerprint, kind, received_at, first_offered_at, letter_at,
       transmission_id, document_count, file_count, content_size, remarks, status, status_at, status_by, next_enqueue_at,
       suggested_case_id, suggestion_basis, suggestion_sender)
     VALUES ($1::uuid, '22222222', 'sf1606', $1::uuid::text, '', 'reply', now(), now(), now(), $1::uuid, 0, 0, 0, '[]', 'pending',
       now(), 'x', now(), $2::text, CASE WHEN $2::text IS NOT NULL THEN 'case-id' END,
       CASE WHEN $2::text IS NOT NULL THEN 'other' END)`,
    [id, suggestedCaseId],
  );
  return id;
}

const insertParty = (id: string, role: string, number: string) =>
  database.sql(
    `INSERT INTO message_parties (message_id, role, municipality, number, status, received_at, letter_at)
     SELECT id, $2, municipality, $3, status, received_at, letter_at FROM messages WHERE id = $1`,
    [id, role, number],
  );

it('messages from before are about their cases and the parties of these, and wait for the hash of their numbers', async () => {
  await database.sql(
    `INSERT INTO cases (municipality, case_id, party_digests) VALUES ('22222222', 'K-1', ARRAY['\\x0a', '\\x0b']::bytea[])`,
  );
  const [suggested, journalized, neither] = [
    await insertMessage('K-1'),
    await insertMessage('K-1'),
    await insertMessage(null),
  ];
  for (const caseId of ['K-1', 'K-unknown']) {
    await database.sql(
      `INSERT INTO journalizations (message_id, case_id, municipality, at, by) VALUES ($1, $2, '22222222', now(), 'x')`,
      [journalized, caseId],
    );
  }
  await insertParty(neither, 'sender', '4101019999');
  await insertParty(neither, 'concerning', '4202029999');
  const refused = randomUUID();
  await database.sql(
    `INSERT INTO audit_events (id, at, municipality, actor_kind, actor, action, details)
     VALUES ($1, now(), '22222222', 'user', 'anna', 'refused', '{"code": "not-found", "call": "get /x"}')`,
    [refused],
  );

  await database.migrate();

  const subjectsOf = (id: string) =>
    database.sql('SELECT kind, key FROM message_subjects WHERE message_id = $1 ORDER BY kind DESC, key', [id]);
  const parties = ['0a', '0b'].map((key) => ({ kind: 'citizen', key }));
  expect(await subjectsOf(suggested)).toEqual([...parties, { kind: 'case', key: 'K-1' }]);
  const cases = ['K-1', 'K-unknown'].map((key) => ({ kind: 'case', key }));
  expect(await subjectsOf(journalized)).toEqual([...parties, ...cases]);
  expect(await subjectsOf(neither)).toEqual([]);
  expect(await database.sql('SELECT message_id, municipality FROM unhashed_messages')).toEqual([
    { message_id: neither, municipality: '22222222' },
  ]);
  expect(await database.sql('SELECT result, details FROM audit_events WHERE id = $1', [refused])).toEqual([
    { result: 'not-found', details: { call: 'get /x' } },
  ]);
});
