import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { isMedia } from '../../../services/receiver/src/intake/media.js';
import { numberOf } from '../../src/ids/index.js';
import { type DatabaseBefore, databaseBefore } from './database-before.js';

let database: DatabaseBefore;

beforeAll(async () => {
  database = await databaseBefore('20261128000000_inbox');
  await database.sql(`INSERT INTO municipalities (cvr, name) VALUES ('22222222', 'Odenskov')`);
});
afterAll(() => database.drop());

async function insertMessage(contactPointId: string | null, daysOld: number, into = database): Promise<string> {
  const id = randomUUID();
  await into.sql(
    `INSERT INTO messages (id, municipality, channel, external_id, fingerprint, kind, contact_point_id, received_at, letter_at,
       transmission_id, document_count, file_count, content_size, remarks, status, status_at, status_by, next_enqueue_at)
     VALUES ($1::uuid, '22222222', 'sf1606', $1::uuid::text, '', 'enquiry', $2, now(), now() - make_interval(days => $3),
       $1::uuid, 0, 0, 0, '[]', 'pending', now(), 'x', now())`,
    [id, contactPointId, daysOld],
  );
  return id;
}

it('what can be known of existing messages is as intake has it', async () => {
  const files = [
    ['audio/mpeg', 'lyd'],
    ['VIDEO/MP4; codecs=x', 'film'],
    ['application/ogg', 'lyd'],
    ['application/vnd.ms-asf; x=y', 'film'],
    ['application/octet-stream', 'Optagelse.MOV'],
    ['', 'stemmebesked.amr'],
    ['application/pdf', 'optagelse.mp3'],
    ['application/octet-stream', 'optagelse.mp3.pdf'],
    ['application/videolist', 'x'],
  ] as const;
  const messages = [];
  for (const [type, name] of files) {
    const id = await insertMessage(null, 2);
    for (const [position, role] of ['main', 'additional', 'additional', 'technical'].entries()) {
      await database.sql(
        `INSERT INTO documents (message_id, position, municipality, role) VALUES ($1, $2, '22222222', $3)`,
        [id, position, role],
      );
    }
    await database.sql(
      `INSERT INTO files (id, message_id, document_position, position, municipality, file_name, encoding_format, language, status, size)
       VALUES ($1, $1, 0, 0, '22222222', $2, $3, 'da', 'missing', 0)`,
      [id, name, type],
    );
    const has_media = isMedia({ encodingFormat: type, detectedFormat: null, fileName: name });
    messages.push({ id, attachment_count: 2, has_media, late: false, contact_point_id: null });
  }
  // Random, so that PostgreSQL cannot compress it below the limit of an index.
  const long = Array.from({ length: 200 }, () => randomUUID()).join('');
  const late = await insertMessage(long, 4);
  const rest = { attachment_count: 0, has_media: false, late: true, contact_point_id: long.slice(0, 256) };
  messages.push({ id: late, ...rest });

  await database.migrate();

  for (const expected of messages) {
    const [row] = await database.sql(
      'SELECT id, attachment_count, has_media, late, contact_point_id FROM messages WHERE id = $1',
      [expected.id],
    );
    expect(row).toEqual(expected);
  }
});

it('the numbers of existing senders and of whom they concern are in their normal form', async () => {
  const parties = [
    ['4101019999', null],
    ['410101-9998', '410101\u20139997'],
    ['CPR: 410101 9996', 'Barn'],
    ['DK-22 22 22 22', ''],
    ['CVR-nr.: 22222222', '41 01 01 99 95'],
    ['2222222', 'DK4101019999'],
  ] as const;
  const before = await databaseBefore('20261128000000_inbox');
  const ids: string[] = [];
  await before.sql(`INSERT INTO municipalities (cvr, name) VALUES ('22222222', 'Odenskov')`);
  for (const [sender, concerning] of parties) {
    const id = await insertMessage(null, 0, before);
    await before.sql(
      `INSERT INTO message_details (message_id, municipality, subject, sender_id, sender_id_type, sender_name, concerning_id,
         contact_info, original_format, original) VALUES ($1, '22222222', '', $2, '', '', $3, '[]', 'memo', '')`,
      [id, sender, concerning],
    );
    ids.push(id);
  }

  await before.migrate();

  for (const [at, [sender, concerning]] of parties.entries()) {
    const rows = await before.sql<{ role: string; number: string }>(
      'SELECT role, number FROM message_parties WHERE message_id = $1',
      [ids[at]],
    );
    const found = Object.fromEntries(rows.map(({ role, number }) => [role, number]));
    expect([found.sender, found.concerning]).toEqual([numberOf(sender), numberOf(concerning ?? '')]);
  }
  await before.drop();
});
