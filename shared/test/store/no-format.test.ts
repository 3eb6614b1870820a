import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type DatabaseBefore, databaseBefore } from './database-before.js';

let database: DatabaseBefore;

beforeAll(async () => {
  database = await databaseBefore('20261126000000_no_format');
});
afterAll(() => database.drop());

it('contact info of existing messages is taken from their parsed MeMo, in its order', async () => {
  const contactInfo = (...pairs: object[]) => ({ contactPoint: { contactInfo: pairs } });
  const messages = [
    {
      header: {
        sender: contactInfo({ label: 'Skole', value: 'Lille By' }),
        recipient: contactInfo({ label: 'CPR', value: '4103139999' }, { value: 'x' }),
      },
    },
    { header: { recipient: { contactPoint: { contactPointID: 'a', contactInfo: [] } } } },
    { header: { sender: { senderID: '4101019999' } } },
  ].map((memo) => ({ id: randomUUID(), memo }));
  await database.sql(`INSERT INTO municipalities (cvr, name) VALUES ('22222222', 'Odenskov')`);
  for (const { id, memo } of messages) {
    await database.sql(
      `INSERT INTO messages (id, municipality, channel, external_id, fingerprint, kind, received_at, letter_at, transmission_id,
         document_count, file_count, content_size, remarks, status, status_at, status_by, next_enqueue_at)
       VALUES ($1::uuid, '22222222', 'sf1606', $1::uuid::text, '', 'enquiry', now(), now(), $1::uuid, 0, 0, 0, '[]', 'pending', now(), 'x', now())`,
      [id],
    );
    await database.sql(
      `INSERT INTO message_details (message_id, municipality, subject, sender_id, sender_id_type, sender_name, memo, original)
       VALUES ($1, '22222222', '', '', '', '', $2, '')`,
      [id, memo],
    );
  }

  await database.migrate();

  const rows = await database.sql<{ message_id: string }>(
    'SELECT message_id, contact_info, original_format FROM message_details',
  );
  const expected = [
    [
      { label: 'CPR', value: '4103139999' },
      { label: '', value: 'x' },
      { label: 'Skole', value: 'Lille By' },
    ],
    [],
    [],
  ];
  for (const [n, { id }] of messages.entries()) {
    const row = rows.find(({ message_id }) => message_id === id);
    expect(row).toEqual({ message_id: id, contact_info: expected[n], original_format: 'memo' });
  }
});
