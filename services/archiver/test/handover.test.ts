import { randomUUID } from 'node:crypto';
import { readdir } from 'node:fs/promises';
import { sweepOrphans } from '@indbakke/receiver';
import { principalIn } from '@indbakke/shared/access';
import { MiB, readConfig } from '@indbakke/shared/config';
import { deleteMessage } from '@indbakke/shared/inbox';
import { openParts, type Parts } from '@indbakke/shared/service';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { registerMunicipality } from '../../../infra/src/local/register-municipality.js';
import { DELETION } from '../../../infra/src/testkit/inbox-client.js';
import {
  CASEWORKER_ROLES,
  ODENSKOV,
  startTestStack,
  type TestStack,
  type TokenOptions,
  VESTERSUND,
} from '../../../infra/src/testkit/stack.js';
import { type MemoSpec, textDocument } from '../../../infra/src/testkit/write-memo.js';
import { HandoverList } from '../../../shared/src/api/index.js';
import { CommonConfig } from '../../../shared/src/config/index.js';
import {
  auditOf,
  awaitSuggestion,
  change,
  deliverDocument,
  deliverReply,
  expectProblem,
  list,
  read,
  registerSentMessage,
  upsertCase,
} from '../../../shared/test/inbox/support.js';
import { endDueOffers } from '../src/handover/sweep.js';
import { takeHandover } from '../src/handover/take.js';
import { startDoomedArchiver } from './support/archiver-process.js';

// ODENSKOV offers, VESTERSUND takes.

const OFFERER: TokenOptions = { user: 'anna' };
const TAKER: TokenOptions = { user: 'bo', municipality: VESTERSUND };
const TRAINING = '99999999';
const THIRD = '77777777';

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

let cases = 0;

/** A pending reply that is suggested for a case, which then moves. */
async function moved(memo: MemoSpec = {}, movedTo: string | null = VESTERSUND) {
  cases += 1;
  const caseId = `K-${cases}`;
  const sent = randomUUID();
  await registerSentMessage(stack, sent, { caseId });
  const messageUUID = memo.messageUUID ?? randomUUID();
  const id = await deliverReply(stack, [{ messageUUID: randomUUID(), replyUUID: sent, caseID: caseId }], {
    ...memo,
    messageUUID,
  });
  await upsertCase(stack, caseId, movedTo === null ? {} : { status: 'moved', movedTo });
  await upsertCase(stack, caseId, { movedFrom: ODENSKOV, caseworker: 'bo' }, VESTERSUND);
  await registerSentMessage(stack, sent, { caseId }, VESTERSUND);
  await awaitSuggestion(stack, id);
  const { version, suggestion } = await read(stack, id, OFFERER);
  expect(suggestion).toMatchObject({ caseId, movedTo });
  return { id, version, caseId, messageUUID };
}

const offer = (id: string, version: number, body: object = {}, as = OFFERER) =>
  stack.call('POST', `/incoming-documents/${id}/handover`, { as, version, body });
const withdraw = (id: string, version: number) =>
  stack.call('DELETE', `/incoming-documents/${id}/handover`, { as: OFFERER, version });
const take = (handoverId: string, as = TAKER) => stack.call('POST', `/handovers/${handoverId}/acceptance`, { as });
const refuse = (handoverId: string, reason = 'not-our-case', as = TAKER) =>
  stack.call('POST', `/handovers/${handoverId}/refusal`, { as, body: { reason } });

async function offers(direction: 'in' | 'out', as: TokenOptions, query = '') {
  const response = await stack.call('GET', `/handovers?direction=${direction}${query}`, { as });
  expect(response.status, await response.clone().text()).toBe(200);
  return HandoverList.parse(await response.json());
}

async function offered(memo: MemoSpec = {}) {
  const message = await moved(memo);
  const response = await offer(message.id, message.version);
  expect(response.status, await response.clone().text()).toBe(200);
  const { handover } = await read(stack, message.id, OFFERER);
  return { ...message, version: message.version + 1, handoverId: handover?.handoverId as string };
}

async function taken(handoverId: string): Promise<string> {
  const response = await take(handoverId);
  const answer = (await response.json()) as { id: string };
  expect(response.status, JSON.stringify(answer)).toBe(200);
  return answer.id;
}

async function blobs(): Promise<string[]> {
  const names = await readdir(stack.contentFolder, { recursive: true });
  return names.map((name) => name.split('/').at(-1) as string).filter((name) => name.length === 32);
}

const statusOf = async (handoverId: string) => {
  const [row] = await stack.sql<{ status: string }>('SELECT status FROM handovers WHERE id = $1', [handoverId]);
  return row?.status;
};
const rowsOf = (id: string) => stack.sql<Record<string, unknown>>('SELECT * FROM messages WHERE id = $1', [id]);

describe('a taken message', () => {
  const MEMO: MemoSpec = {
    subject: 'Svar om flytning',
    sender: { id: '4404049999', idType: 'CPR', name: 'Afsendernavnet' },
    concerning: { cpr: '4303039999', name: 'Barnenavnet' },
    contactInfo: [{ label: 'Skole', value: 'Kontaktordet' }],
    documents: [
      { label: 'Brev', ...textDocument('Indholdsordet', 'brev.txt') },
      { label: 'Bilag', ...textDocument('Bilagsordet', 'bilag.txt') },
    ],
  };
  let original: Awaited<ReturnType<typeof offered>>;
  let copy: string;

  beforeAll(async () => {
    original = await offered(MEMO);
    await stack.sql(
      `UPDATE messages SET concern_marked_at = received_at, concern_marked_by = 'anna', concern_assess_by = received_at + interval '1 day',
         concern_confirm_by = received_at + interval '6 days', received_at = received_at - interval '2 days',
         first_offered_at = first_offered_at - interval '2 days' WHERE id = $1`,
      [original.id],
    );
    copy = await taken(original.handoverId);
    await awaitSuggestion(stack, copy);
  });

  it('has all that the message had, as it was', async () => {
    const [before, after] = [await read(stack, original.id, OFFERER), await read(stack, copy, TAKER)];
    for (const field of [
      'externalId',
      'kind',
      'subject',
      'sender',
      'concerning',
      'contactInfo',
      'letterAt',
      'sentAt',
      'firstOfferedAt',
      'fileCount',
      'contentSize',
    ] as const) {
      expect({ [field]: after[field] }).toEqual({ [field]: before[field] });
    }
    const withoutIds = (documents: typeof before.documents) =>
      documents.map(({ files, ...document }) => ({ ...document, files: files.map(({ id: _, ...file }) => file) }));
    expect(withoutIds(after.documents)).toEqual(withoutIds(before.documents));
    expect(after.concern).toEqual({ ...before.concern, markedBy: 'indbakke' }); // the clocks run on
    expect(after).toMatchObject({ status: 'pending', contactPoint: null, assignee: null });
    expect(Date.parse(after.receivedAt)).toBeGreaterThan(Date.parse(before.receivedAt));
  });

  it('has the same bytes under another key', async () => {
    const { documents } = await read(stack, copy, TAKER);
    const contents = [];
    for (const { files } of documents) {
      for (const file of files) {
        const response = await stack.call('GET', `/incoming-documents/${copy}/files/${file.id}`, { as: TAKER });
        contents.push(await response.text());
      }
    }
    expect(contents).toEqual(['Indholdsordet', 'Bilagsordet']);
    const keys = await stack.sql<{ key: string }>(
      `SELECT encode(wrapped_key, 'hex') AS key FROM message_keys WHERE message_id = ANY ($1)`,
      [[original.id, copy]],
    );
    expect(new Set(keys.map(({ key }) => key)).size).toBe(2);
    const [one, other] = [...(await rowsOf(original.id)), ...(await rowsOf(copy))];
    expect(one?.blob_name).not.toBe(other?.blob_name);
  });

  it('gets its suggestion by the ordinary job, and is found by words and numbers', async () => {
    expect((await read(stack, copy, TAKER)).suggestion).toMatchObject({
      caseId: original.caseId,
      movedFrom: ODENSKOV,
      caseworker: 'bo',
    });
    for (const body of [{ q: 'flytning' }, { sender: '4404049999' }, { concerning: '4303039999' }]) {
      const found = (await (await stack.call('POST', '/incoming-documents/search', { as: TAKER, body })).json()) as {
        items: { id: string }[];
      };
      expect(found.items.map(({ id }) => id)).toContain(copy);
    }
  });

  it('shows where it came from, on both sides, and so do both audit logs and feeds', async () => {
    const both = {
      handoverId: original.handoverId,
      status: 'taken',
      caseId: original.caseId,
      offeredBy: 'anna',
      endedBy: 'bo',
      endedAt: expect.any(String),
      refusalReason: null,
    };
    expect((await read(stack, original.id, OFFERER)).handover).toMatchObject({
      ...both,
      direction: 'out',
      municipality: VESTERSUND,
    });
    const { handover, history } = await read(stack, copy, TAKER);
    expect(handover).toMatchObject({ ...both, direction: 'in', municipality: ODENSKOV });
    expect(history[0]).toMatchObject({
      action: 'taken-over',
      by: 'bo',
      details: { from: ODENSKOV, offeredBy: 'anna', handoverId: original.handoverId },
    });
    const actions = async (id: string) =>
      (await auditOf(stack, { messageId: id })).map(({ action, actor }) => `${action} by ${actor}`);
    expect(await actions(original.id)).toEqual(
      expect.arrayContaining(['handover-offered by anna', 'rejected by indbakke']),
    );
    expect(await actions(copy)).toEqual(expect.arrayContaining(['taken-over by bo', 'suggested by indbakke']));
    const events = await stack.sql(
      'SELECT municipality, type FROM events WHERE message_id = ANY ($1) ORDER BY at, version',
      [[original.id, copy]],
    );
    expect(events).toEqual(
      expect.arrayContaining([
        { municipality: ODENSKOV, type: 'handover-offered' },
        { municipality: ODENSKOV, type: 'rejected' },
        { municipality: VESTERSUND, type: 'taken-over' },
      ]),
    );
    const received = (await auditOf(stack, { action: 'handover-received' })).filter(
      ({ details }) => details.handoverId === original.handoverId,
    );
    expect(received).toMatchObject([{ actor: 'indbakke', details: { from: ODENSKOV, offeredBy: 'anna' } }]);
  });

  it('is rejected where it came from as handed over and sent on, and can then be deleted there', async () => {
    const { version, status, rejection } = await read(stack, original.id, OFFERER);
    expect({ status, rejection }).toMatchObject({
      status: 'rejected',
      rejection: {
        reason: 'handed-over',
        outcome: { forwardedTo: { name: `Kommune ${VESTERSUND}` }, by: 'indbakke' },
        by: 'indbakke',
      },
    });
    expect(version).toBe(original.version + 1);
  });

  it('crosses nothing else: neither side reads the message of the other', async () => {
    await expectProblem(await stack.call('GET', `/incoming-documents/${copy}`, { as: OFFERER }), 404, 'not-found');
    await expectProblem(await stack.call('GET', `/incoming-documents/${original.id}`, { as: TAKER }), 404, 'not-found');
    const rows = await stack.sql<{ table: string; municipality: string }>(
      `SELECT DISTINCT 'details' AS table, municipality FROM message_details WHERE message_id = $1
       UNION ALL SELECT DISTINCT 'files', municipality FROM files WHERE message_id = $1
       UNION ALL SELECT DISTINCT 'documents', municipality FROM documents WHERE message_id = $1
       UNION ALL SELECT DISTINCT 'parties', municipality FROM message_parties WHERE message_id = $1
       UNION ALL SELECT DISTINCT 'words', municipality FROM message_words WHERE message_id = $1
       UNION ALL SELECT DISTINCT 'references', municipality FROM reply_references WHERE message_id = $1
       UNION ALL SELECT DISTINCT 'keys', municipality FROM message_keys WHERE message_id = $1
       UNION ALL SELECT DISTINCT 'subjects', municipality FROM message_subjects WHERE message_id = $1`,
      [copy],
    );
    expect(rows).toHaveLength(8);
    expect(new Set(rows.map(({ municipality }) => municipality))).toEqual(new Set([VESTERSUND]));
  });

  it('is answered the same to a repeat of the one who took it, and not to others', async () => {
    expect(await taken(original.handoverId)).toBe(copy);
    await expectProblem(await take(original.handoverId, { ...TAKER, user: 'cecilie' }), 409, 'handover-ended');
    await expectProblem(await refuse(original.handoverId), 409, 'handover-ended');
  });

  it('cannot be offered and taken a second time', async () => {
    const { version } = await read(stack, original.id, OFFERER);
    await change(stack, 'DELETE', `${original.id}/rejection`, { as: OFFERER, version });
    expect((await offer(original.id, version + 1)).status).toBe(200);
    const [again] = (await offers('in', TAKER, '&status=open')).items;
    await expectProblem(await take(again?.handoverId as string), 409, 'message-known');
    expect((await refuse(again?.handoverId as string, 'have-it-already')).status).toBe(204);
    expect((await read(stack, original.id, OFFERER)).handover).toMatchObject({
      status: 'refused',
      refusalReason: 'have-it-already',
      endedBy: 'bo',
    });
  });
});

describe('the copy of a message that was offered for a case by its id here', () => {
  /** The core here has not registered the letter that it answers, and has another case with the id of the other side. */
  async function takenFor(ownCase: string): Promise<string> {
    const { id, version, caseId } = await moved();
    await stack.sql('DELETE FROM sent_messages WHERE municipality = $1 AND case_id = $2', [VESTERSUND, caseId]);
    await upsertCase(stack, ownCase, { movedFrom: ODENSKOV, caseworker: 'bo' }, VESTERSUND);
    expect((await offer(id, version, { caseId: ownCase })).status).toBe(200);
    const { handover } = await read(stack, id, OFFERER);
    return taken(handover?.handoverId as string);
  }

  it('is suggested for that case, not for one that has the id of the other side, so who took it sees it', async () => {
    const copy = await takenFor('V-2');
    await awaitSuggestion(stack, copy);
    const own = { ...TAKER, roles: CASEWORKER_ROLES.filter((role) => !role.endsWith('SeAlle')) };
    expect((await read(stack, copy, own)).suggestion).toMatchObject({ caseId: 'V-2', basis: 'case-id' });
  });

  it('is for those alone to whom that case is restricted, before its suggestion and after', async () => {
    await upsertCase(stack, 'V-3', { restrictedTo: ['bo'] }, VESTERSUND);
    const copy = await takenFor('V-3');
    const asOther = () => stack.call('GET', `/incoming-documents/${copy}`, { as: { ...TAKER, user: 'cecilie' } });
    await expectProblem(await asOther(), 404, 'not-found');
    await awaitSuggestion(stack, copy);
    await expectProblem(await asOther(), 404, 'not-found');
    expect((await read(stack, copy, TAKER)).suggestion).toMatchObject({ caseId: 'V-3' });
  });
});

it('a message that was taken, and reopened where it came from, can be taken by a third municipality', async () => {
  await registerMunicipality(stack.ownerUrl, { cvr: THIRD, name: 'Tredje Kommune' });
  const { id, handoverId, caseId } = await offered();
  await taken(handoverId);
  const { version } = await read(stack, id, OFFERER);
  await change(stack, 'DELETE', `${id}/rejection`, { as: OFFERER, version });
  await upsertCase(stack, caseId, { status: 'moved', movedTo: THIRD });
  await awaitSuggestion(stack, id);
  const { version: reopened } = await read(stack, id, OFFERER);
  expect((await offer(id, reopened)).status).toBe(200);
  const { handover } = await read(stack, id, OFFERER);
  const response = await take(handover?.handoverId as string, { user: 'dorte', municipality: THIRD });
  expect(response.status, await response.clone().text()).toBe(200);
  expect((await read(stack, id, OFFERER)).handover).toMatchObject({ municipality: THIRD, status: 'taken' });
});

describe('what the other side sees before it decides', () => {
  it('is ids, codes, times and counts, and nothing of the message', async () => {
    const { id, handoverId, caseId } = await offered({
      subject: 'Hemmeligt',
      sender: { id: '4404049999', idType: 'CPR', name: 'Navnet' },
    });
    const { items } = await offers('in', TAKER, '&limit=1');
    expect(items).toMatchObject([
      {
        handoverId,
        caseId,
        direction: 'in',
        municipality: ODENSKOV,
        status: 'open',
        messageId: null,
        kind: 'reply',
        fileCount: 1,
        offeredBy: 'anna',
      },
    ]);
    expect(JSON.stringify(items)).not.toMatch(new RegExp(`Hemmeligt|Navnet|4404049999|${id}`));
    expect((await offers('out', OFFERER, '&limit=1')).items).toMatchObject([
      { handoverId, direction: 'out', municipality: VESTERSUND, messageId: id },
    ]);
  });

  it('is shown to SeAlle and to the caseworker of the case, and to nobody else', async () => {
    const { handoverId, caseId } = await offered();
    const sees = async (as: TokenOptions) =>
      (await offers('in', as)).items.some((item) => item.handoverId === handoverId);
    const own = CASEWORKER_ROLES.filter((role) => !role.endsWith('SeAlle'));
    expect(await sees({ ...TAKER, roles: own })).toBe(true);
    const other = { ...TAKER, user: 'dorte', roles: own };
    expect(await sees(other)).toBe(false);
    await expectProblem(await take(handoverId, other), 404, 'not-found');
    await expectProblem(await refuse(handoverId, 'other', other), 404, 'not-found');
    expect(await sees({ ...TAKER, constraints: { kle: ['27'] } } as TokenOptions)).toBe(false);
    await upsertCase(stack, caseId, { restrictedTo: ['cecilie'] }, VESTERSUND);
    expect(await sees(TAKER)).toBe(false);
    expect(await sees({ ...TAKER, user: 'cecilie' })).toBe(true);
    expect(await sees(OFFERER)).toBe(false); // the other way
    await expectProblem(await take(handoverId, OFFERER), 404, 'not-found');
  });

  it('is not shown any more when its copy is hidden here, as by a deletion delay', async () => {
    const { handoverId } = await offered();
    const copy = await taken(handoverId);
    const reader = { ...TAKER, roles: CASEWORKER_ROLES.filter((role) => role !== 'DigitalPost.Slet') };
    const sees = async (as: TokenOptions) =>
      (await offers('in', as)).items.some((item) => item.handoverId === handoverId);
    await awaitSuggestion(stack, copy);
    expect(await sees(reader)).toBe(true);
    await stack.sql(
      `UPDATE messages SET status = 'rejected', status_before = 'pending', rejection_reason = 'other', deletion_requested_at = now(),
         deletion_requested_by = 'bo', deletion_due_at = now() + interval '3 days' WHERE id = $1`,
      [copy],
    );
    expect([await sees(reader), await sees(TAKER)]).toEqual([false, true]);
    expect(await taken(handoverId)).toBe(copy); // the repeat of a lost answer
  });

  it('is not shown with a message that is of another case by now, when its own is restricted to others', async () => {
    const { id, caseId, handoverId } = await offered();
    const sees = async (as: TokenOptions) => ({
      listed: (await offers('out', as)).items.some((item) => item.handoverId === handoverId),
      read: (await read(stack, id, as)).handover !== null,
    });
    expect(await sees(OFFERER)).toEqual({ listed: true, read: true });
    await upsertCase(stack, caseId, { status: 'moved', movedTo: VESTERSUND, restrictedTo: ['erik'] });
    await awaitSuggestion(stack, id);
    await upsertCase(stack, 'another');
    await stack.sql(`UPDATE messages SET suggested_case_id = 'another' WHERE id = $1`, [id]);
    expect(await sees(OFFERER)).toEqual({ listed: false, read: false });
    expect(await sees({ user: 'erik' })).toEqual({ listed: true, read: true });
  });

  it('is paged, newest first', async () => {
    await offered();
    await offered();
    const first = await offers('in', TAKER, '&limit=1');
    const second = await offers('in', TAKER, `&limit=1&cursor=${first.nextCursor}`);
    expect(second.items[0]?.offeredAt && first.items[0] && second.items[0].offeredAt <= first.items[0].offeredAt).toBe(
      true,
    );
    expect(second.items[0]?.handoverId).not.toBe(first.items[0]?.handoverId);
  });
});

describe('an offer', () => {
  it('is of a pending reply whose case has moved to a municipality that is here', async () => {
    const open = await moved({}, null);
    await expectProblem(await offer(open.id, open.version), 409, 'handover-not-possible');
    const away = await moved({}, '44444444');
    await expectProblem(await offer(away.id, away.version), 409, 'handover-not-possible');
    const rejected = await moved();
    await change(stack, 'POST', `${rejected.id}/rejection`, {
      as: OFFERER,
      version: rejected.version,
      body: { reason: 'unwanted', explanation: 'Ikke til os' },
    });
    await expectProblem(await offer(rejected.id, rejected.version + 1), 409, 'wrong-status');
    expect((await read(stack, open.id, OFFERER)).version).toBe(open.version);
  });

  it('is never of a document from Fordelingskomponenten, whose sender would hear that it was rejected', async () => {
    const caseId = randomUUID();
    await upsertCase(stack, caseId, { status: 'moved', movedTo: VESTERSUND });
    const id = await deliverDocument(stack, { suggestedCase: caseId });
    await awaitSuggestion(stack, id);
    await stack.sql(`UPDATE messages SET kind = 'reply' WHERE id = $1`, [id]);
    const { version, suggestion, allowed } = await read(stack, id, OFFERER);
    expect(suggestion).toMatchObject({ caseId, movedTo: VESTERSUND });
    expect(allowed).toContain('rejected');
    expect(allowed).not.toContain('handover-offered');
    const { detail } = await expectProblem(await offer(id, version), 409, 'handover-not-possible');
    expect(detail).toContain('its sender would hear that it was rejected');
    expect(await stack.sql('SELECT FROM handovers WHERE message_id = $1', [id])).toEqual([]);
    const inReply = await moved();
    expect((await read(stack, inReply.id, OFFERER)).allowed).toContain('handover-offered');
  });

  it('is never between a training municipality and a real one, nor to one that is not live', async () => {
    await registerMunicipality(stack.ownerUrl, { cvr: TRAINING, name: 'Øvelse', training: true });
    const training = await moved({}, TRAINING);
    await expectProblem(await offer(training.id, training.version), 409, 'handover-not-possible');
    const live = await moved();
    await stack.sql('UPDATE municipalities SET is_live = false WHERE cvr = $1', [VESTERSUND]);
    await expectProblem(await offer(live.id, live.version), 409, 'handover-not-possible');
    await stack.sql('UPDATE municipalities SET is_live = true WHERE cvr = $1', [VESTERSUND]);
    expect(await stack.sql('SELECT FROM handovers WHERE message_id = ANY ($1)', [[training.id, live.id]])).toEqual([]);
  });

  it('needs the role that rejects, the version, and sight of the message', async () => {
    const { id, version } = await moved();
    const without = CASEWORKER_ROLES.filter((role) => !role.endsWith('Afvis'));
    await expectProblem(await offer(id, version, {}, { user: 'anna', roles: without }), 403, 'role-missing');
    await expectProblem(await offer(id, version - 1), 412, 'version-changed');
    const blind = CASEWORKER_ROLES.filter((role) => !role.endsWith('SeAlle'));
    await expectProblem(await offer(id, version, {}, { user: 'egon', roles: blind }), 404, 'not-found');
    await expectProblem(await offer(id, version, { days: 0 }), 400, 'bad-request');
    await expectProblem(await offer(id, version, { municipality: VESTERSUND }), 400, 'bad-request');
  });

  it('is made once at a time; its repeat gets the first answer', async () => {
    const { id, version, handoverId } = await offered();
    expect(await (await offer(id, version - 1)).json()).toEqual({ id, status: 'pending', version });
    await expectProblem(await offer(id, version), 409, 'handover-not-possible');
    expect(
      (await offers('out', OFFERER, '&limit=200')).items.filter(({ messageId }) => messageId === id),
    ).toMatchObject([{ handoverId }]);
  });

  it('may name the case by its id in the other municipality, and say how long it is open', async () => {
    const { id, version } = await moved();
    expect((await offer(id, version, { caseId: 'V-1', days: 3 })).status).toBe(200);
    const { handover } = await read(stack, id, OFFERER);
    expect(handover).toMatchObject({ caseId: 'V-1' });
    expect(Date.parse(handover?.expiresAt as string) - Date.parse(handover?.offeredAt as string)).toBe(3 * 86_400_000);
  });

  it('that is withdrawn cannot be taken, and the message can be offered anew', async () => {
    const { id, version, handoverId } = await offered();
    expect((await withdraw(id, version)).status).toBe(200);
    await expectProblem(await take(handoverId), 409, 'handover-ended');
    await expectProblem(await withdraw(id, version + 1), 409, 'handover-ended');
    expect(
      (await auditOf(stack, { action: 'handover-lapsed' })).some(({ details }) => details.handoverId === handoverId),
    ).toBe(true);
    expect((await offer(id, version + 1)).status).toBe(200);
  });

  it('that is refused leaves the message where it is, with the reason on both sides', async () => {
    const { id, version, handoverId } = await offered();
    expect((await refuse(handoverId)).status).toBe(204);
    expect((await refuse(handoverId)).status).toBe(204); // a repeat
    await expectProblem(await refuse(handoverId, 'other'), 409, 'handover-ended');
    await expectProblem(await take(handoverId), 409, 'handover-ended');
    const message = await read(stack, id, OFFERER);
    expect(message).toMatchObject({
      status: 'pending',
      version: version + 1,
      handover: { status: 'refused', refusalReason: 'not-our-case', endedBy: 'bo' },
    });
    expect(message.history.at(-1)).toMatchObject({
      action: 'handover-refused',
      by: 'indbakke',
      details: { reason: 'not-our-case', refusedBy: 'bo' },
    });
    const declined = (await auditOf(stack, { action: 'offer-refused' })).filter(
      ({ details }) => details.handoverId === handoverId,
    );
    expect(declined).toMatchObject([{ actor: 'bo', details: { from: ODENSKOV, reason: 'not-our-case' } }]);
  });

  it('expires, and becomes void when the message is handled otherwise', async () => {
    const [late, handled] = [await offered(), await offered()];
    await stack.sql(`UPDATE handovers SET expires_at = now() - interval '1 second' WHERE id = $1`, [late.handoverId]);
    await expectProblem(await take(late.handoverId), 409, 'handover-ended');
    await change(stack, 'POST', `${handled.id}/rejection`, {
      as: OFFERER,
      version: handled.version,
      body: { reason: 'unwanted', explanation: 'Ikke til os' },
    });
    await expectProblem(await take(handled.handoverId), 409, 'handover-ended');
    await Promise.all([endDueOffers(parts, new Date()), endDueOffers(parts, new Date())]);
    expect([await statusOf(late.handoverId), await statusOf(handled.handoverId)]).toEqual(['expired', 'void']);
    expect((await read(stack, late.id, OFFERER)).history.at(-1)).toMatchObject({ action: 'handover-expired' });
  });
});

describe('taking', () => {
  it('at once by several happens once', async () => {
    const { handoverId, id } = await offered();
    const before = await blobs();
    const answers = await Promise.all(['bo', 'cecilie', 'dorte'].map((user) => take(handoverId, { ...TAKER, user })));
    expect(answers.map(({ status }) => status).toSorted()).toEqual([200, 409, 409]);
    for (const answer of answers)
      if (answer.status === 409)
        expect(await answer.json()).toMatchObject({ code: expect.stringMatching(/handover-ended|message-known/) });
    const external = (await rowsOf(id))[0]?.external_id;
    expect(
      await stack.sql('SELECT FROM messages WHERE municipality = $1 AND external_id = $2', [VESTERSUND, external]),
    ).toHaveLength(1);
    expect((await blobs()).length).toBe(before.length + 1); // those of the losers are removed
  });

  it('twice at once by one person gives both the same answer', async () => {
    const { handoverId } = await offered();
    const [one, other] = await Promise.all([take(handoverId), take(handoverId)]);
    const answers = [await one.json(), await other.json()];
    expect([one.status, other.status]).toEqual([200, 200]);
    expect(answers[0]).toEqual(answers[1]);
  });

  it('of what is withdrawn, or whose case comes back, while it is copied leaves nothing', async () => {
    const before = (await blobs()).length;
    const back = await offered();
    await upsertCase(stack, back.caseId, { status: 'open' });
    await expectProblem(await take(back.handoverId), 409, 'handover-ended');
    expect((await read(stack, back.id, OFFERER)).status).toBe('pending');
    expect((await blobs()).length).toBe(before + 1); // of the original
  });

  it.each(['withdrawn', 'rejected', 'deleted'] as const)(
    'of what is %s while it is copied leaves nothing',
    async (how) => {
      const { id, version, handoverId } = await offered();
      const [taker, deleter] = await Promise.all(
        [TAKER, OFFERER].map(async (who) => principalIn(await parts.tokens.verify(await stack.token(who)))),
      );
      const meanwhile = async () => {
        if (how === 'withdrawn') {
          await withdraw(id, version);
          return;
        }
        await change(stack, 'POST', `${id}/rejection`, {
          as: OFFERER,
          version,
          body: { reason: 'unwanted', explanation: 'Ikke til os' },
        });
        if (how === 'rejected') return;
        const principal = deleter as NonNullable<typeof deleter>;
        await deleteMessage(parts, { principal, id, expectedVersion: version + 1, at: new Date() }, DELETION);
      };
      let done: Promise<unknown> | undefined;
      const open: Parts['blobs']['open'] = async (name, range) => {
        done ??= meanwhile();
        await done;
        return parts.blobs.open(name, range);
      };
      const before = (await blobs()).length;
      const taking = { principal: taker as NonNullable<typeof taker>, handoverId, at: new Date() };
      const slowly = { ...parts, blobs: { ...parts.blobs, open } };
      await expect(takeHandover(slowly, taking, 0)).rejects.toMatchObject({ code: 'handover-ended' });
      expect(await statusOf(handoverId)).not.toBe('taken');
      expect((await blobs()).length).toBe(how === 'deleted' ? before - 1 : before);
    },
  );

  it('of a message that the municipality has, or has deleted, is refused', async () => {
    const messageUUID = randomUUID();
    const own = await deliverReply(stack, [{ messageUUID: randomUUID(), caseID: 'x' }], {
      messageUUID,
      recipient: { id: VESTERSUND },
    });
    const { handoverId } = await offered({ messageUUID });
    await expectProblem(await take(handoverId), 409, 'message-known');
    await stack.sql(`UPDATE messages SET status = 'deleted' WHERE id = $1`, [own]);
    await expectProblem(await take(handoverId), 409, 'message-known');
    expect(await statusOf(handoverId)).toBe('open');
  });

  it('of a message that is delivered to the municipality while it is copied is refused, and leaves nothing', async () => {
    const messageUUID = randomUUID();
    const { handoverId } = await offered({ messageUUID });
    let delivered: Promise<unknown> | undefined;
    const open: Parts['blobs']['open'] = async (name, range) => {
      delivered ??= deliverReply(stack, [{ messageUUID: randomUUID(), caseID: 'x' }], {
        messageUUID,
        recipient: { id: VESTERSUND },
      });
      await delivered;
      return parts.blobs.open(name, range);
    };
    const before = (await blobs()).length;
    const principal = principalIn(await parts.tokens.verify(await stack.token(TAKER)));
    const taking = takeHandover(
      { ...parts, blobs: { ...parts.blobs, open } },
      { principal, handoverId, at: new Date() },
      0,
    );
    await expect(taking).rejects.toMatchObject({ code: 'message-known' });
    expect([await statusOf(handoverId), (await blobs()).length]).toEqual(['open', before + 1]); // of the delivered one
  });

  it('by a municipality that is not live any more is refused', async () => {
    const { handoverId } = await offered();
    const setLive = (isLive: boolean) =>
      stack.sql('UPDATE municipalities SET is_live = $1 WHERE cvr = $2', [isLive, VESTERSUND]);
    await setLive(false);
    await expectProblem(await take(handoverId), 409, 'handover-not-possible');
    await setLive(true);
    await taken(handoverId);
  });

  it('of a message that was read when it was new gives a late one that nobody has read', async () => {
    const { id, handoverId } = await offered();
    await stack.sql('UPDATE messages SET late = false WHERE id = $1', [id]);
    expect((await rowsOf(id))[0]).toMatchObject({ first_read_at: expect.any(Date) });
    expect((await rowsOf(await taken(handoverId)))[0]).toMatchObject({ first_read_at: null, late: true });
  });

  it('of a message under a legal hold leaves the original, and the copy is under none', async () => {
    const { id, handoverId } = await offered();
    await stack.sql('UPDATE messages SET legal_hold = true WHERE id = $1', [id]);
    const copy = await taken(handoverId);
    expect((await rowsOf(id))[0]).toMatchObject({ status: 'rejected', legal_hold: true });
    expect(await stack.sql('SELECT FROM message_keys WHERE message_id = $1', [id])).toHaveLength(1);
    expect((await rowsOf(copy))[0]).toMatchObject({ legal_hold: false });
  });

  it('of damaged content takes nothing', async () => {
    const { id, handoverId } = await offered();
    await stack.sql(`UPDATE files SET sha256 = decode(repeat('00', 32), 'hex') WHERE message_id = $1`, [id]);
    const before = await blobs();
    await expectProblem(await take(handoverId), 500, 'content-damaged');
    expect(await statusOf(handoverId)).toBe('open');
    expect(await blobs()).toEqual(before);
  });

  it('of a message without content works', async () => {
    const { handoverId } = await offered({ documents: [] });
    expect((await read(stack, await taken(handoverId), TAKER)).documents).toEqual([]);
  });

  it('of 100 MB is not held in memory', { tags: 'long' }, async () => {
    const content = Buffer.alloc(75 * MiB, 'indhold ');
    const { handoverId } = await offered({
      documents: [{ files: [{ name: 'stor.bin', type: 'application/octet-stream', content }] }],
    });
    global.gc?.();
    const before = process.memoryUsage().rss;
    let most = before;
    const watch = setInterval(() => {
      most = Math.max(most, process.memoryUsage().rss);
    }, 5);
    const copy = await taken(handoverId);
    clearInterval(watch);
    expect(most - before).toBeLessThan(60 * MiB);
    expect((await read(stack, copy, TAKER)).contentSize).toBe(content.length);
  });
});

describe('a process that is killed', () => {
  async function takeAndDie(handoverId: string, point: 'content-synced' | 'handover-copied' | 'handover-committed') {
    const doomed = startDoomedArchiver(stack.env, point);
    try {
      const url = await doomed.ready;
      const answer = fetch(`${url}/api/v1/handovers/${handoverId}/acceptance`, {
        method: 'POST',
        headers: { authorization: `Bearer ${await stack.token(TAKER)}` },
      }).then(
        () => 'answered',
        () => 'cut',
      );
      expect(await doomed.died).toBe('SIGKILL');
      expect(await answer).toBe('cut');
    } finally {
      doomed.end();
    }
  }

  it.each(['content-synced', 'handover-copied'] as const)(
    'at %s has taken nothing; the container that it left is an orphan',
    { tags: 'long' },
    async (point) => {
      const { id, handoverId } = await offered();
      const before = await blobs();
      await takeAndDie(handoverId, point);
      expect(await statusOf(handoverId)).toBe('open');
      expect((await read(stack, id, OFFERER)).status).toBe('pending');
      const external = (await rowsOf(id))[0]?.external_id;
      expect(
        await stack.sql('SELECT FROM messages WHERE municipality = $1 AND external_id = $2', [VESTERSUND, external]),
      ).toEqual([]);

      const copy = await taken(handoverId); // asked again
      expect((await read(stack, copy, TAKER)).documents).toHaveLength(1);
      await sweepOrphans(parts as never, new Date(Date.now() + 31 * 86_400_000));
      expect(await blobs()).toHaveLength(before.length + 1);
    },
  );

  it('at handover-committed has taken it, and the same call again is answered so', { tags: 'long' }, async () => {
    const { id, handoverId } = await offered();
    await takeAndDie(handoverId, 'handover-committed');
    expect(await statusOf(handoverId)).toBe('taken');
    expect((await read(stack, id, OFFERER)).rejection).toMatchObject({ reason: 'handed-over' });
    const copy = await taken(handoverId);
    expect((await list(stack, '?limit=200', TAKER)).items.map((item) => item.id)).toContain(copy);
  });
});
