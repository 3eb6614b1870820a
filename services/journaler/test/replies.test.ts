import { spawnSync } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { MEMO_NAMESPACE, readHeader } from '@indbakke/shared/memo';
import fc from 'fast-check';
import pg from 'pg';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { DELETION } from '../../../infra/src/testkit/inbox-client.js';
import {
  CONTACT_POINT,
  ODENSKOV,
  startTestStack,
  type TestStack,
  VESTERSUND,
} from '../../../infra/src/testkit/stack.js';
import { type MemoSpec, type ReplyEntry, TEST_CITIZEN, writeMemo } from '../../../infra/src/testkit/write-memo.js';
import { ReplySetUp } from '../../../shared/src/api/index.js';
import { danishDayOf, danishTime, plusDays } from '../../../shared/src/danish-time/index.js';
import {
  auditOf,
  awaitSuggestion,
  change,
  deliverMemo,
  deliverReply,
  expectProblem,
  read,
  registerSentMessage,
  SETUP,
  SYSTEM,
  untilNumbered,
  upsertCase,
} from '../../../shared/test/inbox/support.js';

// Letters that are set up before they are sent, the answers to them, and the answers to what came in.

let stack: TestStack;

beforeAll(async () => {
  stack = await startTestStack();
});
afterAll(() => stack.close());

const newCase = () => `K-${randomUUID().slice(0, 8)}`;

const trySetUp = (body: object = {}, as = SYSTEM) => {
  const letter = { messageUUID: randomUUID(), caseId: newCase(), recipientId: TEST_CITIZEN.id };
  return stack.call('POST', '/replies/setup', { as, body: { ...letter, contactPointId: CONTACT_POINT, ...body } });
};

async function setUp(body: object = {}): Promise<ReplySetUp> {
  const response = await trySetUp(body);
  expect(response.status, await response.clone().text()).toBe(200);
  return ReplySetUp.strict().parse(await response.json());
}

/** Changes settings of the municipality; the others stay. */
async function decide(changes: object): Promise<void> {
  const settings = await stack.call('GET', '/municipality', { as: SETUP });
  const {
    cvr: _,
    version,
    warnings: __,
    isTraining: ___,
    ...present
  } = (await settings.json()) as { version: number } & Record<string, unknown>;
  const call = { as: SETUP, version, body: { ...present, ...changes } };
  expect((await stack.call('PUT', '/municipality', call)).status).toBe(200);
}

async function addPoint(point: object = {}): Promise<string> {
  const body = { id: randomUUID(), name: 'Svar', ...point };
  expect((await stack.call('POST', '/contact-points', { as: SETUP, body })).status).toBe(200);
  return body.id;
}

/** What a citizen’s client sends back of the ReplyData of a letter. */
const echoed = ({ replyData }: ReplySetUp): ReplyEntry[] =>
  replyData.map(({ additionalReplyData: _, ...texts }) => {
    const given = Object.entries(texts).filter(([, text]) => text !== null);
    return Object.fromEntries(given) as unknown as ReplyEntry;
  });

const answerTo = (letter: ReplySetUp): ReplyEntry[] => [
  ...echoed(letter),
  { messageUUID: randomUUID(), replyUUID: letter.replyData.at(-1)?.messageUUID as string },
];

/** Makes calls that wait for what a statement has locked; when so many wait, its transaction ends. */
async function whileLocked<T>(statement: string, values: unknown[], calls: (() => Promise<T>)[], end = 'ROLLBACK') {
  const blocker = new pg.Client({ connectionString: stack.ownerUrl });
  await blocker.connect();
  try {
    await blocker.query('BEGIN');
    await blocker.query(statement, values);
    const made: Promise<T>[] = [];
    const waiting = `SELECT FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'`;
    for (const call of calls) {
      made.push(call());
      await expect.poll(() => stack.sql(waiting)).toHaveLength(made.length);
    }
    await blocker.query(end);
    return await Promise.all(made);
  } finally {
    await blocker.end();
  }
}

beforeEach(() => decide({ lettersAnswerable: true, takesReplies: true, replyDays: null }));

describe('a letter that is set up', () => {
  it('gets the fields by which its answer finds the case', async () => {
    const [messageUUID, caseId] = [randomUUID(), newCase()];
    await decide({ replyDays: 14 });
    const letter = await setUp({ messageUUID: messageUUID.toUpperCase(), messageId: 'BREV-7', caseId });
    expect(letter).toMatchObject({
      reply: true,
      notAnswerable: null,
      contactPoint: { contactPointID: CONTACT_POINT, label: 'Børn og familie' },
      replyData: [
        {
          messageID: 'BREV-7',
          messageUUID,
          replyUUID: null,
          senderID: ODENSKOV,
          recipientID: null,
          caseID: caseId,
          contactPointID: CONTACT_POINT,
          generatingSystemID: 'DUBU',
        },
      ],
    });
    const id = await deliverReply(stack, answerTo(letter), { contactPointId: CONTACT_POINT });
    expect(await read(stack, id)).toMatchObject({
      kind: 'reply',
      status: 'pending',
      suggestion: { caseId, basis: 'message-uuid', sender: 'recipient-of-the-letter' },
    });
  });

  it('gives its recipient until the end of the last day in Denmark', async () => {
    await decide({ replyDays: 200 });
    const { replyByDateTime } = await setUp();
    const day = plusDays(danishDayOf(new Date()), 200);
    expect(danishTime(new Date(replyByDateTime as string))).toBe(`${day} 23:59:59`);
  });

  it('is found by its message id and by the number of its case too', async () => {
    const caseId = newCase();
    const letter = await setUp({ messageId: `BREV-${caseId}`, caseId });
    const [entry] = echoed(letter);
    const parts = [{ messageID: entry?.messageID }, { caseID: caseId }];
    for (const part of parts) {
      const { generatingSystemID } = entry as { generatingSystemID: string };
      const own = { messageUUID: randomUUID(), replyUUID: randomUUID(), generatingSystemID };
      const id = await deliverReply(stack, [{ ...own, ...part } as ReplyEntry]);
      expect((await read(stack, id)).suggestion).toMatchObject({ caseId });
    }
  });

  it('gives a reply that came before it its suggestion', async () => {
    const [messageUUID, caseId] = [randomUUID(), newCase()];
    const id = await deliverReply(stack, [{ messageUUID: randomUUID(), replyUUID: messageUUID }]);
    expect((await read(stack, id)).suggestion).toBeNull();
    await setUp({ messageUUID, caseId });
    await awaitSuggestion(stack, id);
    expect((await read(stack, id)).suggestion).toMatchObject({ caseId });
  });

  it('is registered, and set up again in place of that', async () => {
    const [messageUUID, first, second] = [randomUUID(), newCase(), newCase()];
    await setUp({ messageUUID, caseId: first, messageId: 'a' });
    const letter = await setUp({ messageUUID, caseId: second });
    expect(
      await stack.sql('SELECT case_id, message_id FROM sent_messages WHERE message_uuid = $1', [messageUUID]),
    ).toEqual([{ case_id: second, message_id: null }]);
    const id = await deliverReply(stack, answerTo(letter));
    expect((await read(stack, id)).suggestion).toMatchObject({ caseId: second });
  });

  it('cannot be answered where the municipality has decided so, and needs no contact point then', async () => {
    await decide({ lettersAnswerable: false, replyDays: 14 });
    const letter = await setUp({ contactPointId: null });
    expect(letter).toMatchObject({
      reply: false,
      notAnswerable: 'letters-not-answerable',
      replyByDateTime: null,
      contactPoint: null,
      replyData: [{ contactPointID: null }],
      xml: { contactPoint: null, replyByDateTime: null },
    });
  });

  it.each([
    ['is not set up here', async () => randomUUID(), {}],
    ['is not active', () => addPoint({ isActive: false }), {}],
    ['is for enquiries only', () => addPoint({ purpose: 'enquiries' }), {}],
    ['is not seen by the recipient', () => addPoint({ visibleTo: ['COMPANY', 'AUTHORITY'] }), {}],
    ['is not seen by the recipient', () => addPoint({ visibleTo: ['CITIZEN'] }), { recipientId: '33333333' }],
  ])(
    'is refused, and not registered, with a contact point that would not bring its answers here: it %s',
    async (words, point, more) => {
      const messageUUID = randomUUID();
      const response = await trySetUp({ messageUUID, contactPointId: await point(), ...more });
      const problem = await expectProblem(response, 409, 'no-place-for-replies');
      expect(problem).toMatchObject({ path: 'body.contactPointId', detail: expect.stringContaining(words) });
      expect(await stack.sql('SELECT FROM sent_messages WHERE message_uuid = $1', [messageUUID])).toEqual([]);
    },
  );

  it('needs a contact point', async () => {
    const problem = await expectProblem(await trySetUp({ contactPointId: null }), 400, 'bad-request');
    expect(problem.path).toBe('body.contactPointId');
  });

  it('has its replies elsewhere where the municipality receives them there', async () => {
    await decide({ takesReplies: false });
    const elsewhere = randomUUID();
    expect(await setUp({ contactPointId: elsewhere })).toMatchObject({
      reply: true,
      contactPoint: { contactPointID: elsewhere, label: null },
    });
    await expectProblem(await trySetUp({ contactPointId: CONTACT_POINT }), 409, 'no-place-for-replies');
  });

  it('needs a messageUUID that MeMo takes', async () => {
    const messageUUID = '01a1fb5e-6f1c-7a51-8c3f-0c9e8d7f6a22';
    const problem = await expectProblem(await trySetUp({ messageUUID }), 400, 'bad-request');
    expect(problem).toMatchObject({ path: 'body.messageUUID', detail: expect.stringContaining('version 4') });
  });

  it.each(['a\u0001b', 'a\tb', 'a\r\nb', 'a\u0085b', 'a\uFFFEb', 'a\uFFFFb'])(
    'takes no character in what comes back that XML does not bring back: %j',
    async (text) => {
      await decide({ takesReplies: false });
      for (const field of ['messageId', 'caseId', 'contactPointId']) {
        const messageUUID = randomUUID();
        const problem = await expectProblem(await trySetUp({ messageUUID, [field]: text }), 400, 'bad-request');
        expect(problem.path).toBe(`body.${field}`);
        expect(await stack.sql('SELECT FROM sent_messages WHERE message_uuid = $1', [messageUUID])).toEqual([]);
      }
    },
  );

  it('is recorded in the audit log, without its recipient', async () => {
    const [messageUUID, caseId] = [randomUUID(), newCase()];
    await setUp({ messageUUID, caseId });
    const rows = await auditOf(stack, { action: 'reply-set-up' });
    expect(rows.at(-1)).toMatchObject({
      actor: 'dubu-core',
      details: { messageUuid: messageUUID, caseId, contactPoint: CONTACT_POINT },
    });
    expect(JSON.stringify(rows)).not.toContain(TEST_CITIZEN.id);
  });

  it('is of the municipality of the token', async () => {
    const letter = await setUp();
    const id = await deliverReply(stack, answerTo(letter), { recipient: { id: VESTERSUND } });
    expect(await read(stack, id, { municipality: VESTERSUND })).toMatchObject({ suggestion: null });
  });
});

describe('a letter that answers a message', () => {
  const enquiry = (memo: MemoSpec = {}) => deliverMemo(stack, { contactPointId: CONTACT_POINT, ...memo });

  it('goes on with its chain, and has its contact point', async () => {
    const first = await setUp({ messageId: 'BREV-1' });
    const reply = answerTo(first);
    const messageUUID = reply.at(-1)?.messageUUID as string;
    const id = await deliverReply(stack, reply, { messageUUID, contactPointId: CONTACT_POINT });
    const second = await setUp({ answers: id, contactPointId: null });
    expect(second.contactPoint).toMatchObject({ contactPointID: CONTACT_POINT });
    expect(second.replyData.map((entry) => [entry.messageUUID, entry.replyUUID])).toEqual([
      [first.replyData[0]?.messageUUID, null],
      [messageUUID, first.replyData[0]?.messageUUID],
      [second.replyData.at(-1)?.messageUUID, messageUUID],
    ]);
    expect(second.replyData[0]).toEqual(first.replyData[0]);
  });

  it.each([
    ['is in another order', false, true],
    ['has no entry of the message', true, false],
  ])('has the oldest entry first when what came %s', async (_, isWithout, isReversed) => {
    const [first, second, messageUUID] = [randomUUID(), randomUUID(), randomUUID()];
    const came = [
      { messageUUID: first },
      { messageUUID: second, replyUUID: first },
      ...(isWithout ? [] : [{ messageUUID, replyUUID: second }]),
    ];
    const id = await enquiry({ messageUUID, replyData: isReversed ? came.reverse() : came });
    const { replyData } = await setUp({ answers: id });
    expect(replyData.map((entry) => [entry.messageUUID, entry.replyUUID])).toEqual([
      [first, null],
      [second, first],
      [messageUUID, second],
      [replyData.at(-1)?.messageUUID, messageUUID],
    ]);
  });

  it('has the CPR number of nobody but its recipient', async () => {
    const mother = '4202029999';
    const id = await enquiry({
      replyData: [
        { messageUUID: randomUUID(), senderID: ODENSKOV, recipientID: mother },
        { messageUUID: randomUUID(), senderID: '420202-9999', recipientID: ODENSKOV },
      ],
    });
    const numbersFor = async (recipientId: string) => {
      const { replyData } = await setUp({ answers: id, recipientId });
      return replyData.map(({ senderID, recipientID }) => [senderID, recipientID]).slice(0, 2);
    };
    expect(await numbersFor(TEST_CITIZEN.id)).toEqual([
      [ODENSKOV, null],
      [null, ODENSKOV],
    ]);
    expect(await numbersFor(mother)).toEqual([
      [ODENSKOV, mother],
      ['420202-9999', ODENSKOV],
    ]);
  });

  it('needs a contact point when that of the message is not for replies', async () => {
    const id = await enquiry({ contactPointId: await addPoint({ purpose: 'enquiries' }) });
    const response = await trySetUp({ answers: id, contactPointId: null });
    const problem = await expectProblem(response, 409, 'no-place-for-replies');
    const words = 'is required, since the one that the answered message was sent to is for enquiries only';
    expect(problem).toMatchObject({ path: 'body.contactPointId', detail: expect.stringContaining(words) });
    await setUp({ answers: id });
  });

  it('has a messageUUID of its own', async () => {
    const messageUUID = randomUUID();
    const id = await enquiry({ messageUUID: messageUUID.toUpperCase() });
    const problem = await expectProblem(await trySetUp({ messageUUID, answers: id }), 400, 'bad-request');
    expect(problem.path).toBe('body.messageUUID');
    expect((await read(stack, id)).answer).toBeNull();
  });

  it('is in the audit log of the message each time that it is told what came before', async () => {
    const [id, messageUUID] = [await enquiry(), randomUUID()];
    for (const caseId of [newCase(), newCase()]) await setUp({ answers: id, messageUUID, caseId });
    const actions = (await auditOf(stack, { messageId: id })).map(({ action }) => action);
    expect(actions.filter((action) => action === 'reply-set-up')).toHaveLength(2);
  });

  it('begins a chain where an enquiry has none, and its answer finds the case', async () => {
    const messageUUID = randomUUID();
    const [id, caseId] = [await enquiry({ messageUUID }), newCase()];
    const letter = await setUp({ answers: id, caseId });
    expect(letter.replyData).toMatchObject([
      { messageUUID, replyUUID: null },
      { replyUUID: messageUUID, caseID: caseId },
    ]);
    const reply = await deliverReply(stack, answerTo(letter));
    expect((await read(stack, reply)).suggestion).toMatchObject({ caseId });
  });

  it('shows on the message, with a new version and an event, once', async () => {
    const [id, messageUUID, caseId] = [await enquiry(), randomUUID(), newCase()];
    const before = await read(stack, id);
    expect(before.answer).toBeNull();
    await setUp({ answers: id, messageUUID, caseId });
    await setUp({ answers: id, messageUUID, caseId });
    const after = await read(stack, id);
    expect(after).toMatchObject({
      version: before.version + 1,
      status: 'pending',
      answer: { messageUUID, delivery: null },
    });
    expect(after.history.at(-1)).toMatchObject({
      action: 'answered',
      by: 'dubu-core',
      details: { messageUuid: messageUUID },
    });
    await untilNumbered(stack);
    const events = await stack.sql(
      'SELECT type, version, details FROM events WHERE message_id = $1 ORDER BY position',
      [id],
    );
    expect(events.slice(1)).toEqual([{ type: 'answered', version: 2, details: { messageUuid: messageUUID } }]);
  });

  it('shows no more on the message when it is set up again as the answer to another, or to none', async () => {
    const [first, second, messageUUID] = [await enquiry(), await enquiry(), randomUUID()];
    // In either order of the ids.
    for (const answers of [first, second, first, null]) await setUp({ answers, messageUUID });
    expect(await read(stack, first)).toMatchObject({ version: 5, answer: null });
    const { version, answer, history } = await read(stack, second);
    expect({ version, answer }).toEqual({ version: 3, answer: null });
    expect(history.slice(-2)).toMatchObject([
      { action: 'answered', details: { messageUuid: messageUUID } },
      { action: 'answer-withdrawn', details: { messageUuid: messageUUID } },
    ]);
  });

  it('changes places with another one at the same time', async () => {
    const [first, second, one, other] = [await enquiry(), await enquiry(), randomUUID(), randomUUID()];
    await setUp({ answers: first, messageUUID: one });
    await setUp({ answers: second, messageUUID: other });
    const calls = [
      () => trySetUp({ answers: second, messageUUID: one }),
      () => trySetUp({ answers: first, messageUUID: other }),
    ];
    const lock = 'SELECT FROM messages WHERE id = ANY ($1::uuid[]) FOR UPDATE';
    for (const { status } of await whileLocked(lock, [[first, second]], calls)) expect(status).toBe(200);
    expect((await read(stack, first)).answer).toMatchObject({ messageUUID: other });
    expect((await read(stack, second)).answer).toMatchObject({ messageUUID: one });
  });

  it('is refused when the message is deleted while it is set up', async () => {
    const [id, messageUUID] = [await enquiry(), randomUUID()];
    const remove = `UPDATE messages SET status = 'deleted' WHERE id = $1`;
    const call = () => trySetUp({ answers: id, messageUUID });
    const [response] = await whileLocked(remove, [id], [call], 'COMMIT');
    const problem = await expectProblem(response as Response, 404, 'not-found');
    expect(problem.path).toBe('body.answers');
    expect(await stack.sql('SELECT FROM sent_messages WHERE message_uuid = $1', [messageUUID])).toEqual([]);
  });

  it('shows once on the message when two calls set it up at once', async () => {
    const [id, messageUUID, caseId] = [await enquiry(), randomUUID(), newCase()];
    const call = () => trySetUp({ answers: id, messageUUID, caseId });
    const lock = 'INSERT INTO cases (municipality, case_id) VALUES ($1, $2)';
    for (const { status } of await whileLocked(lock, [ODENSKOV, caseId], [call, call])) expect(status).toBe(200);
    expect((await read(stack, id)).version).toBe(2);
  });

  it('may answer a journalized and a rejected one, and shows the newest', async () => {
    await upsertCase(stack, 'K-svar');
    const journalized = await enquiry();
    await change(stack, 'POST', `${journalized}/journalization`, { version: 1, body: { caseIds: ['K-svar'] } });
    const rejected = await enquiry();
    await change(stack, 'POST', `${rejected}/rejection`, {
      version: 1,
      body: { reason: 'not-for-us', explanation: 'Ikke til os' },
    });
    for (const id of [journalized, rejected]) {
      await setUp({ answers: id });
      const messageUUID = randomUUID();
      await setUp({ answers: id, messageUUID });
      expect((await read(stack, id)).answer).toMatchObject({ messageUUID });
    }
  });

  it('shows the same when it is set up again, also after a newer one', async () => {
    const [id, first, second] = [await enquiry(), randomUUID(), randomUUID()];
    await setUp({ answers: id, messageUUID: first });
    await setUp({ answers: id, messageUUID: second });
    const before = await read(stack, id);
    expect(before.answer).toMatchObject({ messageUUID: second });
    for (const messageUUID of [second, first]) await setUp({ answers: id, messageUUID });
    const { version, answer } = await read(stack, id);
    expect({ version, answer }).toEqual({ version: before.version, answer: before.answer });
  });

  it('is refused where the sender wants no answer', async () => {
    const id = await enquiry({ reply: false });
    const problem = await expectProblem(await trySetUp({ answers: id }), 409, 'reply-not-wanted');
    expect(problem.path).toBe('body.answers');
    expect((await read(stack, id)).answer).toBeNull();
    await setUp({ answers: await enquiry({ reply: true }) });
  });

  it('cannot answer what is held, deleted, of another municipality or of a case that is restricted to others', async () => {
    await decide({ takesEnquiries: false });
    const held = await enquiry();
    await decide({ takesEnquiries: true });
    const elsewhere = await deliverMemo(stack, { recipient: { id: VESTERSUND } });
    const deleted = await enquiry();
    await change(stack, 'POST', `${deleted}/rejection`, {
      version: 1,
      body: { reason: 'not-for-us', explanation: 'Ikke til os' },
    });
    await change(stack, 'POST', `${deleted}/deletion`, { version: 2, body: DELETION });
    const caseId = newCase();
    await upsertCase(stack, caseId, { restrictedTo: ['caseworker-9'] });
    const restricted = await deliverReply(stack, answerTo(await setUp({ caseId })));
    await stack.sql(`UPDATE messages SET status = 'held', held_cause = 'enquiries-off' WHERE id = $1`, [held]);
    for (const id of [held, elsewhere, deleted, restricted, randomUUID()]) {
      const problem = await expectProblem(await trySetUp({ answers: id }), 404, 'not-found');
      expect(problem.path).toBe('body.answers');
    }
    await stack.sql(`UPDATE messages SET status = 'pending', held_cause = NULL WHERE id = $1`, [held]);
  });

  it('cannot answer what was rejected when it was held, which is not in the inbox', async () => {
    await decide({ takesEnquiries: false });
    const id = await enquiry();
    await stack.sql(`UPDATE messages SET status = 'rejected', status_before = 'held' WHERE id = $1`, [id]);
    await decide({ takesEnquiries: true });
    await expectProblem(await trySetUp({ answers: id }), 404, 'not-found');
  });

  it('cannot answer what is beyond the data constraints of the token', async () => {
    const [within, beyond] = [await addPoint({ kle: '27.24.00' }), await addPoint({ kle: '05.01.00' })];
    const as = { ...SYSTEM, constraints: { kle: ['27'] } };
    const answer = { contactPointId: CONTACT_POINT };
    const id = await enquiry({ contactPointId: beyond });
    await expectProblem(await trySetUp({ ...answer, answers: id }, as), 404, 'not-found');
    const other = await enquiry({ contactPointId: within });
    expect((await trySetUp({ ...answer, answers: other }, as)).status).toBe(200);
  });

  it('leaves out what MeMo does not take, and comments', async () => {
    const messageUUID = randomUUID();
    const long = 'x'.repeat(300);
    const id = await enquiry({
      messageUUID,
      replyData: [
        { messageUUID: 'no uuid', caseID: 'A' },
        { messageUUID: '01a1fb5e-6f1c-7a51-8c3f-0c9e8d7f6a22', caseID: 'A' },
        { messageUUID: randomUUID(), caseID: long, messageID: '' },
        { messageUUID: `{${messageUUID.toUpperCase()}}`, replyUUID: 'no uuid' },
      ],
    });
    const { replyData } = await setUp({ answers: id });
    expect(replyData).toHaveLength(3);
    expect(replyData[0]).toMatchObject({ caseID: null, messageID: null });
    expect(replyData[1]).toMatchObject({ messageUUID, replyUUID: null });
  });

  /** Delivers an enquiry whose XML is changed. */
  async function deliverChanged(change: (xml: string) => string | Buffer): Promise<string> {
    const messageUUID = randomUUID();
    const xml = writeMemo({ messageUUID, contactPointId: CONTACT_POINT }).toString();
    const delivery = await stack.deliver(change(xml), { 'content-type': 'application/xml; charset=utf-8' });
    expect(delivery.status).toBe(200);
    const [row] = await stack.sql<{ id: string }>('SELECT id FROM messages WHERE external_id = $1', [messageUUID]);
    return row?.id as string;
  }
  const withHeader = (elements: string) => (xml: string) =>
    xml.replace('</memo:MessageHeader>', `${elements}</memo:MessageHeader>`);

  it.each(['false', '0'])('is refused where the sender wants no answer: reply is %s', async (no) => {
    const id = await deliverChanged((xml) => xml.replace(/(<memo:Sender>)/, `<memo:reply>${no}</memo:reply>$1`));
    await expectProblem(await trySetUp({ answers: id }), 409, 'reply-not-wanted');
  });

  it('brings back as many pairs of an entry as MeMo takes, and no comment', async () => {
    const pairs = [1, 2, 3, 4, 5].map((n) => ({ label: `Felt ${n}`, value: `<${n}>` }));
    const xml = pairs.map(
      ({ label, value }) =>
        `<memo:AdditionalReplyData><memo:label>${label}</memo:label><memo:value>${value.replace('<', '&lt;')}</memo:value></memo:AdditionalReplyData>`,
    );
    const uuid = `<memo:messageUUID>${randomUUID()}</memo:messageUUID>`;
    const comment = '<memo:comment>Hemmeligt</memo:comment>';
    const entry = `<memo:ReplyData>${uuid}${comment}${xml.join('')}</memo:ReplyData>`;
    const letter = await setUp({ answers: await deliverChanged(withHeader(entry)) });
    expect(letter.replyData[0]?.additionalReplyData).toEqual(pairs.slice(0, 4));
    const { replyData } = readHeader(Buffer.from(letterWith(letter)));
    expect(replyData[0]?.additionalReplyData).toEqual(pairs.slice(0, 4));
    expect(JSON.stringify(letter)).not.toContain('Hemmeligt');
    if (canValidate) expectValid(letter);
  });

  it.each<[string, (xml: string) => string | Buffer]>([
    ['begins with a byte order mark', (xml) => `\uFEFF${xml}`],
    [
      'declares another encoding than the Content-Type, which counts',
      (xml) => xml.replace('UTF-8', 'ISO-8859-1').replace('Henvendelse', 'Forespørgsel'),
    ],
  ])('may answer one that %s', async (_, change) => {
    expect((await setUp({ answers: await deliverChanged(change) })).replyData).toHaveLength(2);
  });

  it('keeps the newest hundred of a long chain', async () => {
    const id = await enquiry({
      replyData: Array.from({ length: 150 }, (_, at) => ({ messageUUID: randomUUID(), caseID: `${at}` })),
    });
    const { replyData } = await setUp({ answers: id });
    expect(replyData).toHaveLength(100);
    expect(replyData[0]?.caseID).toBe('52');
  });
});

describe('whether a letter was delivered', () => {
  it('shows on the message that it answers', async () => {
    const id = await deliverMemo(stack, { contactPointId: CONTACT_POINT });
    const messageUUID = randomUUID();
    await setUp({ answers: id, messageUUID });
    await registerSentMessage(stack, messageUUID, { delivery: 'failed' });
    await registerSentMessage(stack, messageUUID, { delivery: 'failed' });
    const { version, answer, history } = await read(stack, id);
    expect({ version, answer }).toMatchObject({ version: 3, answer: { messageUUID, delivery: 'failed' } });
    expect(history.at(-1)).toMatchObject({
      action: 'answer-delivery-told',
      details: { messageUuid: messageUUID, delivery: 'failed' },
    });
    await registerSentMessage(stack, messageUUID, { delivery: null });
    expect((await read(stack, id)).answer).toMatchObject({ delivery: null });
  });

  it('shows when it is told while the letter is being set up', async () => {
    const id = await deliverMemo(stack, { contactPointId: CONTACT_POINT });
    const [messageUUID, caseId] = [randomUUID(), newCase()];
    const setsUp = () => trySetUp({ answers: id, messageUUID, caseId });
    const tells = () =>
      stack.call('PUT', `/sent-messages/${messageUUID}`, { as: SYSTEM, body: { caseId, delivery: 'failed' } });
    const [first, second] = await whileLocked('SELECT FROM messages WHERE id = $1 FOR UPDATE', [id], [setsUp, tells]);
    expect([first?.status, second?.status]).toEqual([200, 204]);
    expect(await read(stack, id)).toMatchObject({ version: 3, answer: { messageUUID, delivery: 'failed' } });
  });

  it('may be told when the message is deleted', async () => {
    const id = await deliverMemo(stack, { contactPointId: CONTACT_POINT });
    const messageUUID = randomUUID();
    await setUp({ answers: id, messageUUID });
    await change(stack, 'POST', `${id}/rejection`, {
      version: 2,
      body: { reason: 'not-for-us', explanation: 'Ikke til os' },
    });
    await change(stack, 'POST', `${id}/deletion`, { version: 3, body: DELETION });
    await registerSentMessage(stack, messageUUID, { delivery: 'delivered' });
    expect(await stack.sql('SELECT delivery FROM sent_messages WHERE message_uuid = $1', [messageUUID])).toEqual([
      { delivery: 'delivered' },
    ]);
  });
});

/** A whole letter with the elements of a set-up at their places (MeMo 1.2). */
function letterWith({ xml }: ReplySetUp): string {
  return `<?xml version="1.0" encoding="UTF-8"?>
<m:Message xmlns:m="${MEMO_NAMESPACE}" memoVersion="1.2"><m:MessageHeader>
<m:messageType>DIGITALPOST</m:messageType><m:messageUUID>${randomUUID()}</m:messageUUID><m:label>Brev</m:label>
${xml.reply}${xml.replyByDateTime ?? ''}
<m:Sender><m:senderID>22222222</m:senderID><m:idType>CVR</m:idType><m:label>Kommune</m:label>${xml.contactPoint ?? ''}</m:Sender>
<m:Recipient><m:recipientID>4101019999</m:recipientID><m:idType>CPR</m:idType></m:Recipient>
${xml.replyData}</m:MessageHeader><m:MessageBody><m:createdDateTime>2026-11-27T08:00:00Z</m:createdDateTime>
<m:MainDocument><m:File><m:encodingFormat>text/plain</m:encodingFormat><m:filename>brev.txt</m:filename>
<m:language>da</m:language><m:content>SGVq</m:content></m:File></m:MainDocument></m:MessageBody></m:Message>`;
}

// The schemas are the authority’s: beside the repository where they are at all.
const SCHEMA = fileURLToPath(new URL('../../../../shared/fixtures/memo/xsd/1.2/MeMo_core.xsd', import.meta.url));
const canValidate = existsSync(SCHEMA) && spawnSync('xmllint', ['--version']).status === 0;

const strange = async () => {
  await decide({ replyDays: 3 });
  const contactPointId = await addPoint({ name: 'Børn & <unge>\t"æøå" ]]>\uFFFE' });
  const id = await deliverMemo(stack, {
    contactPointId,
    replyData: [{ messageUUID: randomUUID(), caseID: 'Sag <7> & 8', messageID: '😀' }],
  });
  return setUp({ answers: id, contactPointId: null, caseId: 'BF & <1> ]]> æøå', messageId: '"\'' });
};

describe('the XML of a set-up', () => {
  it('says the same as the JSON', async () => {
    const letter = await strange();
    const header = readHeader(Buffer.from(letterWith(letter)));
    expect(header).toMatchObject({
      reply: 'true',
      replyByDateTime: letter.replyByDateTime,
      sender: { contactPoint: letter.contactPoint },
      replyData: echoed(letter),
    });
  });

  it.runIf(canValidate)('fits the schema of MeMo 1.2', async () => {
    await decide({ lettersAnswerable: false });
    const notAnswerable = await setUp({ contactPointId: null });
    await decide({ lettersAnswerable: true });
    for (const letter of [notAnswerable, await setUp(), await strange()]) expectValid(letter);
  });
});

function expectValid(letter: ReplySetUp): void {
  const args = ['--noout', '--nonet', '--schema', SCHEMA, '-'];
  const { status, stderr } = spawnSync('xmllint', args, { input: letterWith(letter), encoding: 'utf8' });
  expect({ status, stderr }).toMatchObject({ status: 0 });
}

const OPTIONAL = ['messageID', 'senderID', 'recipientID', 'caseID', 'contactPointID', 'generatingSystemID'] as const;

/** What may become of a letter before it is answered. */
const exchange = fc.record({
  /** Left out of every entry that comes back. */
  without: fc.subarray([...OPTIONAL]),
  /** How many of the oldest entries come back too. */
  keeps: fc.nat(4),
  /** Whether the answer has an entry of its own. */
  hasOwnEntry: fc.boolean(),
  isReversed: fc.boolean(),
  /** Whether the answer comes as one that somebody else forwards to us. */
  isForwarded: fc.boolean(),
});

describe('a chain of letters and answers', () => {
  it('leads to the case of its newest letter, whatever its length and order, with missing parts and forwards', {
    tags: 'long',
    timeout: 120_000,
  }, async () => {
    const property = fc.asyncProperty(fc.array(exchange, { minLength: 1, maxLength: 5 }), async (exchanges) => {
      let answers: string | null = null;
      for (const { without, keeps, hasOwnEntry, isReversed, isForwarded } of exchanges) {
        const caseId = newCase();
        const letter: ReplySetUp = await setUp({ caseId, answers, messageId: `BREV-${caseId}` });
        if (canValidate) expectValid(letter);
        const newest = letter.replyData.at(-1)?.messageUUID as string;
        const messageUUID = randomUUID();
        const back = echoed(letter).map((entry) => {
          const kept = Object.entries(entry).filter(([name]) => !without.some((left) => left === name));
          return Object.fromEntries(kept) as unknown as ReplyEntry;
        });
        const entries = [...back.slice(-1 - keeps), ...(hasOwnEntry ? [{ messageUUID, replyUUID: newest }] : [])];
        const memo = {
          messageUUID,
          contactPointId: CONTACT_POINT,
          ...(isForwarded && { forwardedFrom: 'En anden myndighed' }),
        };
        const id = await deliverReply(stack, isReversed ? entries.reverse() : entries, memo);
        const { suggestion, kind } = await read(stack, id);
        expect({ kind, suggestion }).toMatchObject(
          isForwarded
            ? { kind: 'forwarded', suggestion: null }
            : { kind: 'reply', suggestion: { caseId, basis: 'message-uuid' } },
        );
        answers = id;
      }
    });
    await fc.assert(property, { numRuns: 10 });
  });
});
