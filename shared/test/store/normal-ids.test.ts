import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type DatabaseBefore, databaseBefore } from './database-before.js';

let database: DatabaseBefore;

beforeAll(async () => {
  database = await databaseBefore('20261127005000_normal_ids');
});
afterAll(() => database.drop());

it('UUIDs that were stored as written get their normal form, and other texts stay', async () => {
  const [id, uuid, point, taken] = [randomUUID(), randomUUID(), randomUUID(), randomUUID()];
  await database.sql(`INSERT INTO municipalities (cvr, name) VALUES ('22222222', 'Odenskov')`);
  await database.sql(
    `INSERT INTO messages (id, municipality, channel, external_id, fingerprint, kind, received_at, letter_at, transmission_id,
       document_count, file_count, content_size, remarks, status, status_at, status_by, next_enqueue_at, contact_point_id)
     VALUES ($1::uuid, '22222222', 'sf1606', $1::uuid::text, '', 'enquiry', now(), now(), $1::uuid, 0, 0, 0, '[]', 'pending', now(), 'x', now(),
       $2)`,
    [id, `{${point}}`],
  );
  const references = [
    ['message-uuid', `{${uuid}}`],
    ['message-uuid', `urn:uuid:${uuid}`],
    ['message-uuid', uuid.replaceAll('-', '')],
    ['message-uuid', uuid],
    ['message-uuid', 'nr. 7'],
    ['case-id', `{${uuid}}`],
  ];
  for (const [position, [kind, value]] of references.entries()) {
    const insert = `INSERT INTO reply_references (message_id, position, municipality, kind, value) VALUES ($1, $2, '22222222', $3, $4)`;
    await database.sql(insert, [id, position, kind, value]);
  }
  for (const contactPoint of [`{${point}}`, `{${taken}}`, taken, 'børn']) {
    const insert = `INSERT INTO contact_points (municipality, contact_point_id, name) VALUES ('22222222', $1, 'x')`;
    await database.sql(insert, [contactPoint]);
  }

  await database.migrate();

  const values = await database.sql<{ value: string }>('SELECT value FROM reply_references ORDER BY position');
  expect(values.map(({ value }) => value)).toEqual([uuid, uuid, uuid, uuid, 'nr. 7', `{${uuid}}`]);
  expect(await database.sql('SELECT contact_point_id AS id FROM messages')).toEqual([{ id: point }]);
  const points = await database.sql<{ id: string }>('SELECT contact_point_id AS id FROM contact_points');
  expect(points.map((row) => row.id).sort()).toEqual([point, `{${taken}}`, taken, 'børn'].sort());
});
