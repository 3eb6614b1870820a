import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type DatabaseBefore, databaseBefore } from './database-before.js';

let database: DatabaseBefore;

beforeAll(async () => {
  database = await databaseBefore('20261206020000_outcome');
});
afterAll(() => database.drop());

it('what was told with a rejection is its outcome, as of then; the texts of all stay', async () => {
  const rejections = [
    { status: 'rejected', to: 'Teknik og Miljø', informed: true, isTold: true },
    { status: 'rejected', to: 'Teknik og Miljø', informed: null, isTold: true },
    { status: 'rejected', to: null, informed: true, isTold: true },
    { status: 'rejected', to: null, informed: false, isTold: false },
    { status: 'rejected', to: null, informed: null, isTold: false },
    { status: 'pending', to: null, informed: null, isTold: false },
  ].map((each) => ({ ...each, id: randomUUID() }));
  const text = 'æ'.repeat(2_000); // longer than one may be now
  const at = new Date('2026-11-20T08:00:00Z');
  await database.sql(`INSERT INTO municipalities (cvr, name) VALUES ('22222222', 'Odenskov')`);
  for (const { id, status, to, informed } of rejections) {
    await database.sql(
      `INSERT INTO messages (id, municipality, channel, external_id, fingerprint, kind, received_at, letter_at, transmission_id,
         document_count, file_count, content_size, remarks, status, status_before, status_at, status_by, next_enqueue_at)
       VALUES ($1::uuid, '22222222', 'sf1606', $1::uuid::text, '', 'enquiry', now(), now(), $1::uuid, 0, 0, 0, '[]', $2, $3, $4, 'anna', now())`,
      [id, status, status === 'rejected' ? 'pending' : null, at],
    );
    await database.sql(
      `INSERT INTO message_details (message_id, municipality, subject, sender_id, sender_id_type, sender_name, contact_info,
         original_format, original, rejection_text, forwarded_to, sender_informed)
       VALUES ($1, '22222222', '', '', '', '', '[]', 'memo', '', $2, $3, $4)`,
      [id, text, to, informed],
    );
  }

  await database.migrate();

  for (const { id, to, informed, isTold } of rejections) {
    const [row] = await database.sql(
      `SELECT outcome_at AS at, outcome_by AS by, outcome_department_id AS department, rejection_text AS text, forwarded_to AS to,
         sender_informed AS informed
       FROM messages JOIN message_details ON message_id = id WHERE id = $1`,
      [id],
    );
    const told = isTold ? { at, by: 'anna' } : { at: null, by: null };
    expect(row).toEqual({ ...told, department: null, text, to, informed });
  }
});
