import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { sendingOn } from '../../../infra/src/testkit/sending-on.js';
import {
  CASEWORKER_ROLES,
  startTestStack,
  type TestStack,
  type TokenOptions,
} from '../../../infra/src/testkit/stack.js';
import { watchStatements } from '../../../infra/src/testkit/watched-store.js';
import { createMakeZipHandler } from '../../../services/archiver/src/zip-downloads/make-zip.js';
import { createMakeExtractHandler } from '../../../services/journaler/src/extracts/make-extract.js';
import { OPERATIONS } from '../../src/api/index.js';
import { CommonConfig, readConfig } from '../../src/config/index.js';
import { openParts } from '../../src/service/index.js';
import { deliverMemo, SETUP } from '../inbox/support.js';
import { NAMES, openCalls, operationOf, send } from './calls.js';

// @module-tag long

// Every call of the contract that a caseworker may make, on a message that is there, by one whose data constraints it is beyond.

let stack: TestStack;
let calls: Awaited<ReturnType<typeof openCalls>>;

beforeAll(async () => {
  stack = await startTestStack(sendingOn);
  calls = await openCalls(stack);
});

afterAll(async () => {
  await calls.close();
  await stack.close();
});

const OF_CASEWORKERS = NAMES.filter((name) => operationOf(name).roles.some((role) => CASEWORKER_ROLES.includes(role)));

/** What a call may change, as it is now, and what only those know who see the messages. */
const stateOf = async () => ({
  versions: await stack.sql(`SELECT id, version, status, first_read_at FROM messages ORDER BY id`),
  changes: await stack.sql(`SELECT count(*)::int FROM events`),
  read: await stack.sql(`SELECT count(*)::int FROM audit_events WHERE message_id IS NOT NULL AND action <> 'refused'`),
});
const secretsOf = async () => {
  const rows = await stack.sql<{ secrets: string[] }>(
    `SELECT ARRAY[subject, sender_id, sender_name] AS secrets FROM message_details`,
  );
  return [...new Set(rows.flatMap(({ secrets }) => secrets))];
};

describe.each(OF_CASEWORKERS)('%s', (name) => {
  it('shows and changes nothing beyond the data constraints of the caller', async () => {
    for (const call of await calls.prepare(name)) {
      const before = await stateOf();
      // As the one for whom it is prepared, who then had no limits.
      const as: TokenOptions = { ...call.as, roles: CASEWORKER_ROLES, system: false, constraints: { kle: ['05'] } };
      const response = await send(stack, { ...call, as });
      const text = Buffer.from(await response.arrayBuffer()).toString('latin1');
      expect(response.status, text).toBeLessThan(500);
      for (const secret of await secretsOf()) expect(text).not.toContain(Buffer.from(secret).toString('latin1'));
      expect(await stateOf(), text).toEqual(before);
      if (call.operation.path.includes('/:id')) expect(response.status, text).toBe(404);
    }
  });
});

describe('a job whose statements have lost the condition of the limits', () => {
  const owner: TokenOptions = { user: 'begraenset-1', constraints: { kle: ['05'] } };
  let parts: Awaited<ReturnType<typeof openParts>>;
  let within: string;
  let beyond: string;

  beforeAll(async () => {
    parts = await openParts(readConfig(CommonConfig, stack.env), 'by-hand');
    const store = watchStatements(parts.store as never, ({ text }) =>
      text.replaceAll(LIMITS, '($1::text || $2::text IS NOT NULL)'),
    );
    parts = { ...parts, store: store as never };
    const [kept, changed] = [randomUUID(), randomUUID()];
    for (const id of [kept, changed]) {
      const body = { id, name: id, kle: '05.01.00' };
      expect((await stack.call('POST', '/contact-points', { as: SETUP, body })).status).toBe(200);
    }
    within = await deliverMemo(stack, { contactPointId: kept });
    beyond = await deliverMemo(stack, { contactPointId: changed });
  });

  afterAll(async () => {
    await parts.queues.close();
    await parts.store.close();
  });

  const setKle = (number: string) =>
    stack.sql(
      'UPDATE contact_points SET kle = $2 FROM messages m WHERE m.id = $1 AND contact_points.contact_point_id = m.contact_point_id',
      [beyond, number],
    );
  const context = { attempt: 1, signal: new AbortController().signal };

  it('puts nothing beyond them into a zip', async () => {
    await setKle('05.01.00');
    const created = await stack.call('POST', '/zip-downloads', { as: owner, body: { items: [within, beyond] } });
    expect(created.status, await created.clone().text()).toBe(200);
    const { id } = (await created.json()) as { id: string };
    await setKle('27.24.00');
    const [job] = await stack.sql<{ municipality: string; run: number }>(
      `UPDATE zip_downloads SET run = run + 1, status = 'waiting', next_enqueue_at = now() + interval '1 day'
       WHERE id = $1 RETURNING municipality, run`,
      [id],
    );
    const make = createMakeZipHandler(parts as never, { SMALL_CONTENT_BYTES: 262_144, ZIP_KEEP_HOURS: 24 });
    await make({ zipId: id, ...(job as { municipality: string; run: number }) }, context);
    expect(
      await stack.sql(
        'SELECT message_id AS id, left_out FROM zip_download_messages WHERE zip_id = $1 ORDER BY position',
        [id],
      ),
    ).toEqual([
      { id: within, left_out: null },
      { id: beyond, left_out: 'not-found' },
    ]);
  });

  it('puts nothing beyond them into an extract', async () => {
    await setKle('27.24.00');
    const [body] = (OPERATIONS.createExtract.body.meta()?.examples ?? []) as object[];
    const created = await stack.call('POST', '/extracts', { as: owner, body: { ...body, filter: {} } });
    expect(created.status, await created.clone().text()).toBe(200);
    const { id } = (await created.json()) as { id: string };
    const [job] = await stack.sql<{ municipality: string; run: number }>(
      `UPDATE extracts SET run = run + 1, next_run_at = now(), next_enqueue_at = now() + interval '1 day'
       WHERE id = $1 RETURNING municipality, run`,
      [id],
    );
    const make = createMakeExtractHandler(parts as never, { SMALL_CONTENT_BYTES: 65_536 });
    await make({ extractId: id, ...(job as { municipality: string; run: number }) }, context);
    const messages = await stack.sql(
      `SELECT message_id AS id FROM extract_file_messages JOIN extract_files f ON f.id = file_id WHERE extract_id = $1`,
      [id],
    );
    expect(messages).toEqual([{ id: within }]);
  });
});

/** isWithin, as PostgreSQL gets it. */
const LIMITS =
  /coalesce\(m\.contact_point_id = ANY \(\(SELECT contact_points_within\((\$\d+), (\$\d+)::jsonb\)\)::text\[\]\), false\)/g;
