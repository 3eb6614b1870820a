import { randomUUID } from 'node:crypto';
import { readdir } from 'node:fs/promises';
import { principalIn } from '@indbakke/shared/access';
import { CommonConfig, readConfig } from '@indbakke/shared/config';
import { deleteMessage, removeContent, sweepContentRemovals } from '@indbakke/shared/inbox';
import { openParts, type Parts } from '@indbakke/shared/service';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { crashPointPassed } from '../../../infra/src/testkit/crash-points.js';
import { DELETION } from '../../../infra/src/testkit/inbox-client.js';
import {
  CASEWORKER_ROLES,
  CONTACT_POINT,
  ODENSKOV,
  startTestStack,
  type TestStack,
} from '../../../infra/src/testkit/stack.js';
import { textDocument, writeMemo } from '../../../infra/src/testkit/write-memo.js';
import { signToken } from '../../../shared/test/access/sign.js';
import {
  auditOf,
  change,
  deliverMemo,
  expectProblem,
  list,
  registerSentMessage,
  upsertCase,
} from '../../../shared/test/inbox/support.js';

let stack: TestStack;
let parts: Parts;

beforeAll(async () => {
  stack = await startTestStack({ SMALL_CONTENT_BYTES: '0' });
  parts = await openParts(readConfig(CommonConfig, stack.env), 'by-hand');
});

afterAll(async () => {
  await parts.queues.close();
  await parts.store.close();
  await stack.close();
});

const remove = (
  id: string,
  version: number,
  options: { user?: string; roles?: readonly string[]; authorization?: string } = {},
) => {
  const { user = 'deleter', roles = CASEWORKER_ROLES, authorization } = options;
  return stack.call('POST', `/incoming-documents/${id}/deletion`, {
    as: { user, roles },
    version,
    body: DELETION,
    ...(authorization !== undefined && { headers: { authorization } }),
  });
};

const reject = (id: string, body: object = { reason: 'unwanted', explanation: 'Ikke til os' }) =>
  change(stack, 'POST', `${id}/rejection`, { version: 1, body });

async function rejected(): Promise<string> {
  const id = await deliverMemo(stack);
  await reject(id);
  return id;
}

async function blobNameOf(id: string): Promise<string> {
  const [row] = await stack.sql<{ blob_name: string }>('SELECT blob_name FROM messages WHERE id = $1', [id]);
  return row?.blob_name as string;
}

async function blobs(): Promise<string[]> {
  const names = await readdir(stack.contentFolder, { recursive: true });
  return names.map((name) => name.split('/').at(-1) as string).filter((name) => name.length === 32);
}

describe('deleting', () => {
  it('a rejected message gives its last status and version', async () => {
    const id = await rejected();
    const response = await remove(id, 2);
    expect(response.status).toBe(200);
    expect(await response.json()).toEqual({ id, status: 'deleted', version: 3 });
  });

  it('is for rejected messages only', async () => {
    const pending = await deliverMemo(stack);
    await expectProblem(await remove(pending, 1), 409, 'wrong-status');
    const journalized = await deliverMemo(stack);
    await upsertCase(stack, 'K-1');
    await change(stack, 'POST', `${journalized}/journalization`, { version: 1, body: { caseIds: ['K-1'] } });
    await expectProblem(await remove(journalized, 2), 409, 'wrong-status');
    expect(await blobs()).toEqual(expect.arrayContaining([await blobNameOf(pending), await blobNameOf(journalized)]));
  });

  it('requires the version that was read', async () => {
    const id = await rejected();
    await expectProblem(await remove(id, 1), 412, 'version-changed');
    const response = await stack.call('POST', `/incoming-documents/${id}/deletion`, { body: DELETION });
    await expectProblem(response, 428, 'version-needed');
  });

  const seeing = ['IndkomneDokumenter.Læs', 'IndkomneDokumenter.SeAlle'];

  it('requires the role DigitalPost.Slet, on a message that the caller may see', async () => {
    const id = await rejected();
    const others = CASEWORKER_ROLES.filter((role) => role !== 'DigitalPost.Slet');
    await expectProblem(await remove(id, 2, { roles: others }), 403, 'role-missing');
    await expectProblem(await remove(id, 2, { roles: ['DigitalPost.Slet'] }), 404, 'not-found'); // a caller cannot delete what it does not see
    expect((await remove(id, 2, { roles: [...seeing, 'DigitalPost.Slet'] })).status).toBe(200);
  });

  it.each(['DigitalPost.slet', 'digitalpost.SLET', 'DIGITALPOST.SLET'])(
    'accepts the role in any case: %s',
    async (spelling) => {
      const id = await rejected();
      const claims = { sub: 'deleter', municipality: ODENSKOV, roles: [...seeing, spelling] };
      const authorization = `Bearer ${await signToken(stack.env, claims)}`;
      const response = await remove(id, 2, { authorization });
      expect(response.status).toBe(200);
    },
  );

  it('at the same time happens once', async () => {
    const id = await rejected();
    const users = ['deleter-1', 'deleter-2', 'deleter-3'];
    const answers = await Promise.all(users.map((user) => remove(id, 2, { user })));
    const statuses = answers.map(({ status }) => status).toSorted();
    expect(statuses[0]).toBe(200);
    for (const status of statuses.slice(1)) expect([404, 412]).toContain(status);
    await expectProblem(await remove(id, 3), 404, 'not-found');
  });
});

describe('of a deleted message', () => {
  // One unique word for each place that can hold personal data.
  const WORDS = {
    subject: 'Emneordet',
    senderId: '4404049999',
    senderName: 'Afsendernavnet',
    concerningId: '4303039999',
    concerningName: 'Barnenavnet',
    contactInfo: 'Kontaktoplysningen',
    label: 'Dokumentnavnet',
    fileName: 'Filnavnet',
    content: 'Indholdsordet',
    explanation: 'Begrundelsesordet',
    forwardedTo: 'Modtagerordet',
    reference: 'Journalordet',
    holdReason: 'Bevaringsordet',
    liftReason: 'Ophævelsesordet',
  };
  const messageUUID = randomUUID();
  const memo = {
    messageUUID,
    subject: WORDS.subject,
    sender: { id: WORDS.senderId, idType: 'CPR', name: WORDS.senderName },
    concerning: { cpr: WORDS.concerningId, name: WORDS.concerningName },
    contactPointId: CONTACT_POINT,
    contactInfo: [{ label: 'Skole', value: WORDS.contactInfo }],
    documents: [{ label: WORDS.label, ...textDocument(WORDS.content, `${WORDS.fileName}.txt`) }],
  };
  let id: string;
  let fileId: string;
  let blobName: string;
  let fingerprint: Buffer;
  let receipt: string;

  /** Every row of every table of a schema as text: columns of text, JSON and bytes alike. */
  async function everything(schema: string): Promise<string> {
    const tables = await stack.sql<{ name: string }>(
      `SELECT format('%I.%I', table_schema, table_name) AS name FROM information_schema.tables
       WHERE table_schema = $1 AND table_type = 'BASE TABLE'`,
      [schema],
    );
    expect(tables.length).toBeGreaterThan(1);
    const texts = await Promise.all(
      tables.map(({ name }) => stack.sql<{ text: string }>(`SELECT t::text AS text FROM ${name} t`)),
    );
    return texts
      .flat()
      .map(({ text }) => text)
      .join('\n');
  }

  const wordsIn = (text: string) =>
    Object.entries(WORDS)
      .filter(([, word]) => text.includes(word) || text.includes(Buffer.from(word).toString('hex')))
      .map(([name]) => name);

  beforeAll(async () => {
    const [sent, reply] = [randomUUID(), { replyUUID: '', messageUUID: randomUUID() }];
    await registerSentMessage(stack, sent, { caseId: 'K-1' });
    await upsertCase(stack, 'K-1', { caseworker: 'caseworker-1' });
    const suggested = crashPointPassed('suggestion-committed');
    receipt = await (await stack.deliver(writeMemo({ ...memo, replyData: [{ ...reply, replyUUID: sent }] }))).text();
    await suggested;
    const [row] = await stack.sql<{ id: string; blob_name: string; fingerprint: Buffer; file_id: string }>(
      'SELECT m.*, f.id AS file_id FROM messages m JOIN files f ON f.message_id = m.id WHERE external_id = $1',
      [messageUUID],
    );
    ({ id, blob_name: blobName, fingerprint, file_id: fileId } = row as NonNullable<typeof row>);
    await change(stack, 'POST', `${id}/journalization`, {
      version: 2,
      body: { caseIds: ['K-1'], reference: WORDS.reference },
    });
    await stack.sql(
      `UPDATE messages SET assignee_kind = 'user', assignee_id = 'caseworker-1', attachment_count = 1, has_media = true,
         escalated_at = now(), reply_by = now(), concern_marked_at = now(), concern_marked_by = 'caseworker-1', concern_assess_by = now(),
         concern_assessed_at = now(), concern_confirm_by = now(), concern_confirmed_at = now() WHERE id = $1`,
      [id],
    );
    expect(wordsIn(await everything('public')).toSorted()).toEqual(
      Object.keys(WORDS)
        .filter((name) => !['content', 'explanation', 'forwardedTo', 'holdReason', 'liftReason'].includes(name))
        .toSorted(),
    );
    await change(stack, 'DELETE', `${id}/journalization`, { version: 3, body: { reason: 'other' } });
    await change(stack, 'POST', `${id}/rejection`, {
      version: 4,
      body: { reason: 'other', explanation: WORDS.explanation, outcome: { forwardedTo: { name: WORDS.forwardedTo } } },
    });
    const hold = (method: string, version: number, reason: string) =>
      stack.call(method, `/incoming-documents/${id}/legal-hold`, { version, body: { reason } });
    expect((await hold('PUT', 5, WORDS.holdReason)).status).toBe(200);
    expect((await hold('DELETE', 6, WORDS.liftReason)).status).toBe(200);
    expect(wordsIn(await everything('public')).toSorted()).toEqual(
      Object.keys(WORDS)
        .filter((name) => !['content', 'reference'].includes(name))
        .toSorted(),
    );
    const removed = crashPointPassed('removal-synced');
    expect((await remove(id, 7)).status).toBe(200);
    await removed;
  });

  it('the tombstone stays: ids, times, actor, fingerprint, receipt, the code of the reason', async () => {
    const [row] = await stack.sql<{ row: Record<string, unknown> }>(
      'SELECT to_jsonb(m) AS row FROM messages m WHERE id = $1',
      [id],
    );
    expect(row?.row).toEqual({
      id,
      municipality: ODENSKOV,
      channel: 'sf1606',
      external_id: messageUUID,
      fingerprint: `\\x${fingerprint.toString('hex')}`,
      kind: 'reply',
      kle: null,
      contact_point_id: null,
      received_at: expect.any(String),
      first_offered_at: expect.any(String),
      letter_at: expect.any(String),
      sent_at: expect.any(String),
      transmission_id: (JSON.parse(receipt) as { transmissionId: string }).transmissionId,
      document_count: 0,
      file_count: 0,
      content_size: 0,
      blob_name: null,
      remarks: [],
      status: 'deleted',
      held_cause: null,
      escalated_at: null,
      status_before: null,
      status_at: expect.any(String),
      status_by: 'deleter',
      version: 8,
      rejection_reason: 'other',
      outcome_at: expect.any(String),
      outcome_by: expect.any(String),
      outcome_department_id: null,
      legal_hold: false,
      deletion_requested_at: null,
      deletion_requested_by: null,
      deletion_confirmed_by: null,
      deletion_sent_on: null,
      deletion_sender_informed: null,
      deletion_due_at: null,
      in_deletion_ledger: expect.any(Boolean),
      assignee_kind: null,
      assignee_id: null,
      suggested_case_id: null,
      suggestion_basis: null,
      suggestion_sender: null,
      suggestion_party: null,
      suggestion_warning: null,
      suggestion_run_at: expect.any(String),
      suggestion_run: 1,
      next_enqueue_at: expect.any(String),
      late: true,
      first_read_at: null,
      handled_at: expect.any(String), // when it was rejected
      content_removed_at: null,
      attachment_count: 0,
      has_media: false,
      reply_by: null,
      concern_marked_at: null,
      concern_marked_by: null,
      concern_assess_by: null,
      concern_assessed_at: null,
      concern_confirm_by: null,
      concern_confirmed_at: null,
    });
  });

  it.each([
    'message_details',
    'message_words',
    'message_parties',
    'message_keys',
    'documents',
    'files',
    'reply_references',
    'journalizations',
    'legal_holds',
  ])('no row of %s stays', async (table) => {
    expect(await stack.sql(`SELECT FROM ${table} WHERE message_id = $1`, [id])).toEqual([]);
  });

  it.each(['public', 'audit_months', 'bullmq'])('nothing personal stays in any table of schema %s', async (schema) => {
    const text = await everything(schema);
    expect(text).toContain(id);
    expect(wordsIn(text)).toEqual([]);
  });

  it('no content stays', async () => {
    expect(await blobs()).not.toContain(blobName);
    expect(await stack.sql('SELECT FROM content_removals')).toEqual([]);
  });

  it.each(['', '/files/', '/zip'])('nothing can be read at …%s', async (path) => {
    const rest = path === '/files/' ? `/files/${fileId}` : path;
    await expectProblem(await stack.call('GET', `/incoming-documents/${id}${rest}`), 404, 'not-found');
  });

  it('no list has it', async () => {
    for (const status of ['pending', 'journalized', 'rejected']) {
      expect((await list(stack, `?limit=200&status=${status}`)).items.map((item) => item.id)).not.toContain(id);
    }
  });

  it('the audit log still has every change, and the deletion', async () => {
    const actions = (await auditOf(stack, { messageId: id })).map(({ action, actor }) => `${action} by ${actor}`);
    expect(actions).toEqual([
      'accepted by serviceplatformen',
      'suggested by indbakke',
      'journalized by caseworker-1',
      'taken-back by caseworker-1',
      'rejected by caseworker-1',
      'legal-hold-set by caseworker-1',
      'legal-hold-lifted by caseworker-1',
      'deleted by deleter',
      ...actions.filter((line) => line.startsWith('refused')), // by the tests above
    ]);
    const [event] = await stack.sql('SELECT type, status FROM events WHERE message_id = $1 AND version = 8', [id]);
    expect(event).toEqual({ type: 'deleted', status: 'deleted' });
  });

  it('nothing changes when the core registers what it referred to', async () => {
    await upsertCase(stack, 'K-1', { caseworker: 'caseworker-2' });
    const [row] = await stack.sql(
      'SELECT suggestion_run_at IS NOT NULL AS still, suggestion_run FROM messages WHERE id = $1',
      [id],
    );
    expect(row).toEqual({ still: true, suggestion_run: 1 });
  });
});

describe('content that cannot be removed at once', () => {
  const stubborn = (): Parts => ({
    ...parts,
    blobs: {
      ...parts.blobs,
      remove: () => Promise.reject(Object.assign(new Error('the disk is away'), { code: 'EIO' })),
    },
  });

  /** Deletes while the content store fails. */
  async function deleteStubbornly(id: string): Promise<string> {
    const blobName = await blobNameOf(id);
    const principal = principalIn(await parts.tokens.verify(await stack.token({ user: 'deleter' })));
    const request = { principal, id, expectedVersion: 2, at: new Date() };
    await expect(deleteMessage(stubborn(), request, DELETION)).resolves.toMatchObject({ status: 'deleted' });
    return blobName;
  }

  const removals = () => stack.sql<{ blob_name: string }>('SELECT blob_name FROM content_removals');

  const makeDue = () => stack.sql(`UPDATE content_removals SET requested_at = now() - interval '1 minute'`);

  it('does not stop the deletion: the content is unreadable and its removal stays requested', async () => {
    const id = await rejected();
    const blobName = await deleteStubbornly(id);
    await expectProblem(await stack.call('GET', `/incoming-documents/${id}`), 404, 'not-found');
    expect(await stack.sql('SELECT FROM message_keys WHERE message_id = $1', [id])).toEqual([]);
    expect(await removals()).toEqual([{ blob_name: blobName }]);
    expect(await blobs()).toContain(blobName);
    await makeDue();
    await sweepContentRemovals(parts);
  });

  it('is removed by the sweep once possible', async () => {
    const names = [await deleteStubbornly(await rejected()), await deleteStubbornly(await rejected())];
    expect(await sweepContentRemovals(parts)).toBe(0); // too young: a call may still be removing it
    await makeDue();
    expect(await sweepContentRemovals(stubborn())).toBe(2);
    expect(await removals()).toHaveLength(2);

    expect(await sweepContentRemovals(parts)).toBe(2);
    expect(await removals()).toEqual([]);
    expect((await blobs()).filter((name) => names.includes(name))).toEqual([]);
    expect(await sweepContentRemovals(parts)).toBe(0);
  });

  it('may be removed twice', async () => {
    const blobName = await deleteStubbornly(await rejected());
    await Promise.all([removeContent(parts, blobName), removeContent(parts, blobName)]);
    expect(await removals()).toEqual([]);
  });

  it('is left for the sweep when the process dies right after the commit', async () => {
    const id = await rejected();
    const blobName = await blobNameOf(id);
    const never = { ...parts, blobs: { ...parts.blobs, remove: () => new Promise<void>(() => {}) } };
    const committed = crashPointPassed('deletion-committed');
    const principal = principalIn(await parts.tokens.verify(await stack.token()));
    void deleteMessage(never, { principal, id, expectedVersion: 2, at: new Date() }, DELETION);
    await committed;
    await makeDue();
    expect(await sweepContentRemovals(parts)).toBe(1);
    expect(await blobs()).not.toContain(blobName);
  });
});

it('a message without content is deleted too', async () => {
  const id = await deliverMemo(stack, { documents: [] });
  await reject(id);
  expect((await remove(id, 2)).status).toBe(200);
  expect(await stack.sql('SELECT FROM content_removals')).toEqual([]);
});

it('a message delivered again after its deletion gets its first receipt and stores nothing', async () => {
  const xml = writeMemo({ messageUUID: randomUUID() });
  const first = await (await stack.deliver(xml)).text();
  const { messageUUID } = JSON.parse(first) as { messageUUID: string };
  const [row] = await stack.sql<{ id: string }>('SELECT id FROM messages WHERE external_id = $1', [messageUUID]);
  const id = row?.id as string;
  await reject(id);
  await remove(id, 2);
  const before = await blobs();

  const again = await stack.deliver(xml);
  expect(again.status).toBe(200);
  expect(await again.text()).toBe(first);
  expect(await blobs()).toEqual(before);
  expect(await stack.sql('SELECT status FROM messages WHERE external_id = $1', [messageUUID])).toEqual([
    { status: 'deleted' },
  ]);
});

it('small content in the database is deleted with the rows', { tags: 'long' }, async () => {
  const withSmall = await startTestStack();
  try {
    const id = await deliverMemo(withSmall);
    const stored = () => withSmall.sql('SELECT FROM message_contents WHERE message_id = $1', [id]);
    expect(await stored()).toHaveLength(1);
    await change(withSmall, 'POST', `${id}/rejection`, {
      version: 1,
      body: { reason: 'unwanted', explanation: 'Ikke til os' },
    });
    await change(withSmall, 'POST', `${id}/deletion`, { version: 2, body: DELETION });
    expect(await stored()).toEqual([]);
  } finally {
    await withSmall.close();
  }
});
