import { randomUUID } from 'node:crypto';
import { CommonConfig, readConfig } from '@indbakke/shared/config';
import { openParts, type Parts } from '@indbakke/shared/service';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { crashPointPassed } from '../../../infra/src/testkit/crash-points.js';
import { ODENSKOV, startTestStack, type TestStack, VESTERSUND } from '../../../infra/src/testkit/stack.js';
import type { MemoSpec, ReplyEntry } from '../../../infra/src/testkit/write-memo.js';
import { TEST_CITIZEN } from '../../../infra/src/testkit/write-memo.js';
import {
  awaitSuggestion,
  change,
  deliverMemo,
  deliverReply,
  list,
  read,
  registerSentMessage,
  upsertCase,
} from '../../../shared/test/inbox/support.js';
import { createSuggestCaseHandler } from '../src/suggestion/handle-suggest-case.js';
import { sweepOverdueSuggestions } from '../src/suggestion/sweep.js';
import { readWithPython } from './support/spreadsheets.js';

const SYSTEM_OF_THE_CORE = 'DUBU'; // the default of OWN_SYSTEM_ID

let stack: TestStack;
let parts: Parts;
let handle: ReturnType<typeof createSuggestCaseHandler>;

beforeAll(async () => {
  stack = await startTestStack();
  parts = await openParts(readConfig(CommonConfig, stack.env), 'by-hand');
  handle = createSuggestCaseHandler(parts);
});

afterAll(async () => {
  await parts.queues.close();
  await parts.store.close();
  await stack.close();
});

const newCase = () => `K-${randomUUID().slice(0, 8)}`;

/** Registers a message sent to the test citizen from a new case. */
async function sentMessage(more: object = {}): Promise<{ uuid: string; caseId: string }> {
  const [uuid, caseId] = [randomUUID(), newCase()];
  await registerSentMessage(stack, uuid, { caseId, recipientId: TEST_CITIZEN.id, ...more });
  return { uuid, caseId };
}

/** The ReplyData that a citizen’s client sends in an answer to this message. */
const answering = (uuid: string, entry: Partial<ReplyEntry> = {}): ReplyEntry[] => [
  { messageUUID: randomUUID(), replyUUID: uuid, ...entry },
];

const suggestionOf = async (id: string, municipality = ODENSKOV) =>
  (await read(stack, id, { municipality })).suggestion;

const versionOf = async (id: string) => (await read(stack, id)).version;

/** Makes the suggestion run overdue. */
const makeDue = (id: string) =>
  stack.sql(`UPDATE messages SET next_enqueue_at = now() - interval '1 minute' WHERE id = $1`, [id]);

async function sweep(): Promise<number> {
  const count = await sweepOverdueSuggestions(parts);
  await parts.queues.flush();
  return count;
}

describe('a reply', () => {
  it('gets the case of the message that it answers, with basis, sender, status and caseworker', async () => {
    const { uuid, caseId } = await sentMessage();
    await upsertCase(stack, caseId, { status: 'open', caseworker: 'caseworker-7' });
    const id = await deliverReply(stack, answering(uuid));
    expect(await read(stack, id)).toMatchObject({
      kind: 'reply',
      status: 'pending',
      suggestion: {
        caseId,
        basis: 'message-uuid',
        sender: 'recipient-of-the-letter',
        caseStatus: 'open',
        caseworker: 'caseworker-7',
      },
    });
  });

  it('may write the UUID in upper case', async () => {
    const { uuid, caseId } = await sentMessage();
    const id = await deliverReply(stack, answering(uuid.toUpperCase()));
    expect(await suggestionOf(id)).toMatchObject({ caseId });
  });

  it('is pending in the inbox before its suggestion run', async () => {
    const id = await deliverMemo(stack, { replyData: answering(randomUUID()) });
    expect(await read(stack, id)).toMatchObject({ status: 'pending', suggestion: null });
  });

  describe('weighs evidence: UUID before message id before case number', () => {
    const [byUuid, byId, byNumber] = [newCase(), newCase(), newCase()];
    const [uuid, messageID] = [randomUUID(), `dubu-${randomUUID()}`];
    const entry = { messageUUID: randomUUID(), senderID: ODENSKOV, generatingSystemID: SYSTEM_OF_THE_CORE };

    beforeAll(async () => {
      await registerSentMessage(stack, uuid, { caseId: byUuid });
      await registerSentMessage(stack, randomUUID(), { caseId: byId, messageId: messageID });
      await upsertCase(stack, byNumber);
    });

    it.each([
      ['all three', { replyUUID: uuid, messageID, caseID: byNumber }, byUuid, 'message-uuid'],
      ['two', { replyUUID: randomUUID(), messageID, caseID: byNumber }, byId, 'message-id'],
      ['the number only', { replyUUID: randomUUID(), messageID: 'x', caseID: byNumber }, byNumber, 'case-id'],
    ])('%s', async (_name, ids, caseId, basis) => {
      const id = await deliverReply(stack, [{ ...entry, ...ids }]);
      expect(await suggestionOf(id)).toMatchObject({ caseId, basis });
    });

    it('an older link with a UUID beats the newest link with a number', async () => {
      const id = await deliverReply(stack, [
        { ...entry, replyUUID: randomUUID(), caseID: byNumber },
        { messageUUID: uuid },
      ]);
      expect(await suggestionOf(id)).toMatchObject({ caseId: byUuid, basis: 'message-uuid' });
    });
  });

  describe('follows the chain from its newest link, whatever the order of the entries', () => {
    const messageUUIDs = { own: '', newer: randomUUID(), between: randomUUID(), older: randomUUID() };
    const [newerCase, olderCase] = [newCase(), newCase()];

    beforeAll(async () => {
      await registerSentMessage(stack, messageUUIDs.older, { caseId: olderCase });
      await registerSentMessage(stack, messageUUIDs.newer, { caseId: newerCase });
    });

    it.each([[[0, 1, 2, 3]], [[3, 2, 1, 0]], [[2, 0, 3, 1]], [[1, 3, 0, 2]]])('%j', async (order) => {
      const own = randomUUID();
      const { newer, between, older } = messageUUIDs;
      const chain: ReplyEntry[] = [
        { messageUUID: own, replyUUID: newer },
        { messageUUID: newer, replyUUID: between },
        { messageUUID: between, replyUUID: older },
        { messageUUID: older },
      ];
      const id = await deliverReply(
        stack,
        order.map((at) => chain[at] as ReplyEntry),
        { messageUUID: own },
      );
      expect(await suggestionOf(id)).toMatchObject({ caseId: newerCase });
    });

    it('of more than a hundred links too, newest first', async () => {
      const { newer, older } = messageUUIDs;
      const between = Array.from({ length: 105 }, () => randomUUID());
      const uuids = [newer, ...between, older];
      const chain = uuids.map((messageUUID, at): ReplyEntry => {
        const replyUUID = uuids[at + 1];
        return { messageUUID, ...(replyUUID && { replyUUID }) };
      });
      expect(await suggestionOf(await deliverReply(stack, chain))).toMatchObject({ caseId: newerCase });
    });

    it('without an entry of its own', async () => {
      const { newer, between, older } = messageUUIDs;
      const id = await deliverReply(stack, [
        { messageUUID: between, replyUUID: older },
        { messageUUID: older },
        { messageUUID: newer, replyUUID: between },
      ]);
      expect(await suggestionOf(id)).toMatchObject({ caseId: newerCase });
    });

    it('a cyclic chain is handled', async () => {
      const { newer, older } = messageUUIDs;
      const id = await deliverReply(stack, [
        { messageUUID: older, replyUUID: newer },
        { messageUUID: newer, replyUUID: older },
      ]);
      expect([newerCase, olderCase]).toContain((await suggestionOf(id))?.caseId);
    });
  });

  describe('counts text ids of the core only', () => {
    const caseId = newCase();
    const messageID = `dubu-${randomUUID()}`;
    const entry = { messageUUID: randomUUID(), replyUUID: randomUUID() };

    beforeAll(() => registerSentMessage(stack, randomUUID(), { caseId, messageId: messageID }));

    it.each([
      ['the core', { generatingSystemID: SYSTEM_OF_THE_CORE }, true],
      ['no system, but the municipality as sender', { senderID: ODENSKOV }, true],
      ['a foreign system, and the municipality as sender', { generatingSystemID: 'SBSYS', senderID: ODENSKOV }, false],
      ['no system and another sender', { senderID: VESTERSUND }, false],
      ['neither', {}, false],
    ])('%s', async (_name, origin, counts) => {
      const byId = await deliverReply(stack, [{ ...entry, ...origin, messageID }]);
      const byNumber = await deliverReply(stack, [{ ...entry, ...origin, caseID: caseId }]);
      expect(await suggestionOf(byId)).toEqual(counts ? expect.objectContaining({ caseId }) : null);
      expect(await suggestionOf(byNumber)).toEqual(counts ? expect.objectContaining({ caseId }) : null);
    });
  });

  describe('never counts text ids of another municipality, which has the same system and the same numbers', () => {
    const [caseId, messageID] = [newCase(), `dubu-${randomUUID()}`];
    const ids = { messageID, caseID: caseId, generatingSystemID: SYSTEM_OF_THE_CORE };
    const NEIGHBOUR = { id: VESTERSUND, idType: 'CVR', name: 'Vestersund Kommune' };
    const [theirs, ours, own] = [randomUUID(), randomUUID(), randomUUID()];

    beforeAll(() => registerSentMessage(stack, randomUUID(), { caseId, messageId: messageID }));

    it.each<[string, ReplyEntry[], MemoSpec]>([
      [
        'of its letter, which a citizen answers',
        [
          { ...ids, messageUUID: theirs, senderID: VESTERSUND },
          { messageUUID: own, replyUUID: theirs },
        ],
        {},
      ],
      [
        'repeated by the client of that citizen',
        [
          { messageUUID: theirs, senderID: VESTERSUND },
          { ...ids, messageUUID: own, replyUUID: theirs, senderID: TEST_CITIZEN.id },
        ],
        {},
      ],
      ['of its letter to us', [{ ...ids, messageUUID: own, senderID: VESTERSUND }], { sender: NEIGHBOUR }],
      [
        'of its answer, which does not repeat who sent it',
        [{ ...ids, messageUUID: own, replyUUID: ours }],
        { sender: NEIGHBOUR },
      ],
    ])('%s', async (_whose, replyData, memo) => {
      const messageUUID = randomUUID();
      const entries = replyData.map((entry) => (entry.messageUUID === own ? { ...entry, messageUUID } : entry));
      expect(await suggestionOf(await deliverReply(stack, entries, { ...memo, messageUUID }))).toBeNull();
    });

    it('but those of ours in an answer to its letter, and those that a citizen’s client repeats of ours', async () => {
      const answer: ReplyEntry = { ...ids, messageUUID: ours, replyUUID: theirs, senderID: ODENSKOV };
      const repeated: ReplyEntry = { ...ids, messageUUID: own, replyUUID: ours, senderID: TEST_CITIZEN.id };
      for (const entry of [answer, repeated]) {
        const other = { messageUUID: entry.replyUUID as string, senderID: entry === answer ? VESTERSUND : ODENSKOV };
        expect(await suggestionOf(await deliverReply(stack, [other, entry]))).toMatchObject({ caseId });
      }
    });
  });

  it('gets a case that it names once the core has named it too, with a letter or as a case', async () => {
    for (const register of [
      (caseId: string) => registerSentMessage(stack, randomUUID(), { caseId }),
      (caseId: string) => upsertCase(stack, caseId),
    ]) {
      const caseId = newCase();
      const id = await deliverReply(stack, answering(randomUUID(), { caseID: caseId, senderID: ODENSKOV }));
      expect(await suggestionOf(id)).toBeNull();
      await register(caseId);
      await awaitSuggestion(stack, id);
      expect(await suggestionOf(id)).toMatchObject({ caseId, basis: 'case-id' });
    }
  });

  it('gets none when its message id names sent messages of two cases', async () => {
    const messageID = `dubu-${randomUUID()}`;
    await sentMessage({ messageId: messageID });
    await sentMessage({ messageId: messageID });
    const id = await deliverReply(
      stack,
      answering(randomUUID(), { messageID, generatingSystemID: SYSTEM_OF_THE_CORE }),
    );
    expect(await suggestionOf(id)).toBeNull();
  });

  describe('says how well its sender fits', () => {
    const OTHER_CITIZEN = { id: '4202029999', idType: 'CPR', name: 'Prøve Prøvesen' };

    it('a party to the case who is not the recipient', async () => {
      const { uuid, caseId } = await sentMessage();
      await upsertCase(stack, caseId, { parties: [OTHER_CITIZEN.id] });
      const id = await deliverReply(stack, answering(uuid), { sender: OTHER_CITIZEN });
      expect(await suggestionOf(id)).toMatchObject({ caseId, sender: 'party-to-the-case' });
    });

    it('somebody else', async () => {
      const { uuid, caseId } = await sentMessage();
      const id = await deliverReply(stack, answering(uuid), { sender: OTHER_CITIZEN });
      expect(await suggestionOf(id)).toMatchObject({ caseId, sender: 'other' });
    });

    it('which party it is, with a warning when the letter was not to that party: in the list, a search and Excel too', async () => {
      const { uuid, caseId } = await sentMessage();
      const parties = [
        { id: TEST_CITIZEN.id, relation: 'mother' },
        { id: OTHER_CITIZEN.id, relation: 'father' },
      ];
      await upsertCase(stack, caseId, { parties });
      const [mother, father] = [
        await deliverReply(stack, answering(uuid)),
        await deliverReply(stack, answering(uuid), { sender: OTHER_CITIZEN }),
      ];
      const bySender = { sender: 'party-to-the-case', party: 'father', warning: 'not-the-recipient' };
      expect(await suggestionOf(mother)).toMatchObject({
        sender: 'recipient-of-the-letter',
        party: 'mother',
        warning: null,
      });
      expect(await suggestionOf(father)).toMatchObject(bySender);
      const found = async (filter: string) =>
        (await list(stack, `?case=${caseId}&${filter}`)).items.map(({ id }) => id);
      expect(await found('party=father')).toEqual([father]);
      expect(await found('party=mother')).toEqual([mother]);
      expect(await found('warning=not-the-recipient')).toEqual([father]);
      const body = { case: caseId };
      const search = await stack.call('POST', '/incoming-documents/search', { body: { ...body, party: 'father' } });
      expect(((await search.json()) as { items: object[] }).items).toMatchObject([
        { id: father, suggestion: bySender },
      ]);
      const sheet = await stack.call('POST', '/incoming-documents/export', { body });
      const { rows } = await readWithPython(Buffer.from(await sheet.arrayBuffer()));
      const at = (heading: string) => rows[0]?.findIndex(({ text }) => text === heading) ?? -1;
      const shown = rows.slice(1).map((row) => [row[at('Svarende part')]?.text, row[at('Advarsel')]?.text]);
      expect(shown).toEqual([
        ['Mor', ''],
        ['Far', 'Brevet var til en anden end den, der svarer'],
      ]);
    });

    it('the first relation that is told of a person with several', async () => {
      const { uuid, caseId } = await sentMessage();
      const { id } = TEST_CITIZEN;
      await upsertCase(stack, caseId, { parties: [id, { id, relation: 'mother' }, { id, relation: 'guardian' }] });
      expect(await suggestionOf(await deliverReply(stack, answering(uuid)))).toMatchObject({ party: 'mother' });
    });

    it('and names the party once the core has told its relation, without telling it in the feed', async () => {
      const { uuid, caseId } = await sentMessage();
      await upsertCase(stack, caseId, { parties: [TEST_CITIZEN.id] });
      const id = await deliverReply(stack, answering(uuid));
      const { version, suggestion } = await read(stack, id);
      expect(suggestion).toMatchObject({ sender: 'recipient-of-the-letter', party: null });
      await upsertCase(stack, caseId, { parties: [{ id: TEST_CITIZEN.id, relation: 'guardian' }] });
      await awaitSuggestion(stack, id);
      expect(await read(stack, id)).toMatchObject({ version: version + 1, suggestion: { party: 'guardian' } });
      const events = await stack.sql('SELECT details::text FROM events WHERE message_id = $1', [id]);
      expect(JSON.stringify(events)).not.toContain('guardian');
    });

    it('and says so again when the core registers the parties later', async () => {
      const { uuid, caseId } = await sentMessage();
      const id = await deliverReply(stack, answering(uuid), { sender: OTHER_CITIZEN });
      await upsertCase(stack, caseId, { parties: [OTHER_CITIZEN.id] });
      await awaitSuggestion(stack, id);
      expect(await suggestionOf(id)).toMatchObject({ caseId, sender: 'party-to-the-case' });
    });
  });

  it('never gets a case of another municipality', async () => {
    const uuid = randomUUID();
    const [caseId, messageID] = [newCase(), `dubu-${randomUUID()}`];
    await registerSentMessage(stack, uuid, { caseId, messageId: messageID }, VESTERSUND);
    const entry = { replyUUID: uuid, messageID, caseID: caseId, generatingSystemID: SYSTEM_OF_THE_CORE };
    const ours = await deliverReply(stack, [{ messageUUID: randomUUID(), ...entry }]);
    const theirs = await deliverReply(stack, [{ messageUUID: randomUUID(), ...entry }], {
      recipient: { id: VESTERSUND },
    });
    expect(await suggestionOf(ours)).toBeNull();
    expect(await suggestionOf(theirs, VESTERSUND)).toMatchObject({ caseId });
  });
});

describe('a message that is not a reply', () => {
  it('gets no suggestion when forwarded, whatever its reply data', async () => {
    const { uuid } = await sentMessage();
    const id = await deliverMemo(stack, { forwardedFrom: 'Rigshospitalet', replyData: answering(uuid) });
    expect(await read(stack, id)).toMatchObject({ kind: 'forwarded', suggestion: null });
    const waiting = await stack.sql('SELECT FROM messages WHERE id = $1 AND suggestion_run_at IS NULL', [id]);
    expect(waiting).toEqual([]);
  });

  it('gets no suggestion when it refers to nothing', async () => {
    const id = await deliverMemo(stack);
    expect(await read(stack, id)).toMatchObject({ kind: 'enquiry', suggestion: null });
  });

  it('becomes a reply when it names a sent message', async () => {
    const { uuid, caseId } = await sentMessage();
    const id = await deliverReply(stack, [{ messageUUID: uuid, senderID: VESTERSUND }]);
    expect(await read(stack, id)).toMatchObject({ kind: 'reply', suggestion: { caseId, basis: 'message-uuid' } });
  });

  it('stays an enquiry when it only names a case number, as other municipalities use the same numbers', async () => {
    const caseId = newCase();
    await upsertCase(stack, caseId);
    const id = await deliverReply(stack, [
      { messageUUID: randomUUID(), senderID: VESTERSUND, caseID: caseId, generatingSystemID: SYSTEM_OF_THE_CORE },
    ]);
    expect(await read(stack, id)).toMatchObject({ kind: 'enquiry', suggestion: null });
  });
});

describe('a pending reply gets another suggestion run', () => {
  it('when the core registers the sent message later', async () => {
    const [uuid, caseId] = [randomUUID(), newCase()];
    const id = await deliverReply(stack, answering(uuid));
    expect(await suggestionOf(id)).toBeNull();
    await registerSentMessage(stack, uuid, { caseId });
    await awaitSuggestion(stack, id);
    expect(await suggestionOf(id)).toMatchObject({ caseId });
    expect(await versionOf(id)).toBe(2);
  });

  it('when the core registers its own message id later', async () => {
    const [messageID, caseId] = [`dubu-${randomUUID()}`, newCase()];
    const id = await deliverReply(stack, answering(randomUUID(), { messageID, senderID: ODENSKOV }));
    await registerSentMessage(stack, randomUUID(), { caseId, messageId: messageID });
    await awaitSuggestion(stack, id);
    expect(await suggestionOf(id)).toMatchObject({ caseId, basis: 'message-id' });
  });

  it('when the core registers the case later', async () => {
    const caseId = newCase();
    const id = await deliverReply(stack, answering(randomUUID(), { caseID: caseId, senderID: ODENSKOV }));
    await upsertCase(stack, caseId);
    await awaitSuggestion(stack, id);
    expect(await suggestionOf(id)).toMatchObject({ caseId, basis: 'case-id' });
  });

  it('when the sent message moves to another case', async () => {
    const { uuid } = await sentMessage();
    const id = await deliverReply(stack, answering(uuid));
    const moved = newCase();
    await registerSentMessage(stack, uuid, { caseId: moved });
    await awaitSuggestion(stack, id);
    expect(await suggestionOf(id)).toMatchObject({ caseId: moved });
    expect((await read(stack, id)).history.map(({ action }) => action)).toEqual(['accepted', 'suggested', 'suggested']);
  });

  it('and keeps its version when the suggestion is unchanged', async () => {
    const { uuid, caseId } = await sentMessage();
    const id = await deliverReply(stack, answering(uuid, { caseID: caseId, senderID: ODENSKOV }));
    const before = await versionOf(id);
    await upsertCase(stack, caseId, { caseworker: 'caseworker-8' });
    await awaitSuggestion(stack, id);
    expect(await versionOf(id)).toBe(before);
  });

  it('but not while it is journalized; the sweep starts it once it is pending again', async () => {
    const [uuid, caseId] = [randomUUID(), newCase()];
    const id = await deliverReply(stack, answering(uuid));
    const path = `${id}/journalization`;
    await upsertCase(stack, 'K-other');
    const { version } = await change(stack, 'POST', path, { version: 1, body: { caseIds: ['K-other'] } });
    await registerSentMessage(stack, uuid, { caseId });
    expect(await suggestionOf(id)).toBeNull();

    await change(stack, 'DELETE', path, { version, body: { reason: 'wrong-case' } });
    await makeDue(id);
    await sweep();
    await awaitSuggestion(stack, id);
    expect(await suggestionOf(id)).toMatchObject({ caseId });
  });
});

describe('the case in a suggestion is the current one', () => {
  it('a new caseworker shows at once, even in a conditional request', async () => {
    const { uuid, caseId } = await sentMessage();
    await upsertCase(stack, caseId, { caseworker: 'caseworker-before' });
    const id = await deliverReply(stack, answering(uuid));
    const first = await stack.call('GET', `/incoming-documents/${id}`);
    await upsertCase(stack, caseId, { caseworker: 'caseworker-after' });

    const second = await stack.call('GET', `/incoming-documents/${id}`, {
      headers: { 'if-none-match': first.headers.get('etag') ?? '', 'cache-control': 'max-age=0' },
    });
    expect(second.status).toBe(200);
    expect(await second.json()).toMatchObject({ suggestion: { caseworker: 'caseworker-after' } });
  });

  it.each(['closed', 'moved'])('a %s case is still suggested, with its status', async (status) => {
    const { uuid, caseId } = await sentMessage();
    await upsertCase(stack, caseId, { status });
    const id = await deliverReply(stack, answering(uuid));
    expect(await suggestionOf(id)).toMatchObject({ caseId, caseStatus: status });
  });

  it('a case that moved between two municipalities here is marked on both sides, and neither shows what is the other’s', async () => {
    const [before, after] = [await sentMessage(), { uuid: randomUUID(), caseId: newCase() }];
    await upsertCase(stack, before.caseId, { status: 'moved', movedTo: VESTERSUND, caseworker: 'old-caseworker' });
    await registerSentMessage(stack, after.uuid, { caseId: after.caseId }, VESTERSUND);
    await upsertCase(stack, after.caseId, { movedFrom: ODENSKOV, caseworker: 'new-caseworker' }, VESTERSUND);
    const here = await deliverReply(stack, answering(before.uuid));
    const there = await deliverReply(stack, answering(after.uuid), { recipient: { id: VESTERSUND } });
    const astray = await deliverReply(stack, answering(before.uuid), { recipient: { id: VESTERSUND } });
    expect(await suggestionOf(here)).toMatchObject({
      caseId: before.caseId,
      caseStatus: 'moved',
      movedTo: VESTERSUND,
      movedFrom: null,
      caseworker: 'old-caseworker',
    });
    expect(await suggestionOf(there, VESTERSUND)).toMatchObject({
      caseId: after.caseId,
      caseStatus: 'open',
      movedTo: null,
      movedFrom: ODENSKOV,
      caseworker: 'new-caseworker',
    });
    expect(await suggestionOf(astray, VESTERSUND)).toBeNull();
    const sheet = await stack.call('POST', '/incoming-documents/export', { body: { case: before.caseId } });
    const { rows } = await readWithPython(Buffer.from(await sheet.arrayBuffer()));
    const shown = rows[0]?.map(({ text }, at) => [text, rows[1]?.[at]?.text]) ?? [];
    expect(Object.fromEntries(shown)).toMatchObject({
      'Sagens status': 'Flyttet',
      'Sagen flyttet til kommune': VESTERSUND,
      'Sagen flyttet fra kommune': '',
    });
  });

  it('a case that only a sent message has named has no status yet', async () => {
    const { uuid, caseId } = await sentMessage();
    const id = await deliverReply(stack, answering(uuid));
    expect(await suggestionOf(id)).toMatchObject({ caseId, caseStatus: null, caseworker: null });
  });

  it('twenty concurrent registrations of one sent message all succeed', async () => {
    const uuid = randomUUID();
    await Promise.all(
      Array.from({ length: 20 }, () => registerSentMessage(stack, uuid, { caseId: `K-${uuid.slice(0, 8)}` })),
    );
    const rows = await stack.sql('SELECT FROM sent_messages WHERE message_uuid = $1', [uuid]);
    expect(rows).toHaveLength(1);
  });
});

describe('the job', () => {
  const runOf = async (id: string) => {
    const [row] = await stack.sql<{ suggestion_run: number }>('SELECT suggestion_run FROM messages WHERE id = $1', [
      id,
    ]);
    return row?.suggestion_run as number;
  };

  it('returns quietly when the run is done already', async () => {
    const { uuid } = await sentMessage();
    const id = await deliverReply(stack, answering(uuid));
    const before = await read(stack, id);
    await handle({ messageId: id, municipality: ODENSKOV, run: await runOf(id) });
    expect({ ...(await read(stack, id)), history: [] }).toEqual({ ...before, history: [] });
  });

  it('returns quietly for an unknown message, or one of another municipality', async () => {
    const id = await deliverMemo(stack);
    await handle({ messageId: randomUUID(), municipality: ODENSKOV, run: 1 });
    await handle({ messageId: id, municipality: VESTERSUND, run: 1 });
    expect(await versionOf(id)).toBe(1);
  });

  it('writes once when two workers have the same job', async () => {
    const [uuid, caseId] = [randomUUID(), newCase()];
    const id = await deliverReply(stack, answering(uuid));
    await stack.sql(`INSERT INTO cases (municipality, case_id) VALUES ($1, $2)`, [ODENSKOV, caseId]);
    await stack.sql('INSERT INTO sent_messages (municipality, message_uuid, case_id) VALUES ($1, $2, $3)', [
      ODENSKOV,
      uuid,
      caseId,
    ]);
    await stack.sql('UPDATE messages SET suggestion_run_at = NULL WHERE id = $1', [id]);
    const job = { messageId: id, municipality: ODENSKOV, run: await runOf(id) };
    await Promise.all([1, 2, 3, 4].map(() => handle(job)));
    expect(await suggestionOf(id)).toMatchObject({ caseId });
    expect(await versionOf(id)).toBe(2);
  });

  describe('concurrent with others', () => {
    /** Replies that await their suggestion run, each to a sent message of its own. */
    async function awaitingSuggestion(count: number, municipality = ODENSKOV) {
      const messages = [];
      for (let n = 0; n < count; n++) {
        const [uuid, caseId] = [randomUUID(), newCase()];
        const id = await deliverReply(stack, answering(uuid), { recipient: { id: municipality } });
        await stack.sql(`INSERT INTO cases (municipality, case_id) VALUES ($1, $2)`, [municipality, caseId]);
        await stack.sql('INSERT INTO sent_messages (municipality, message_uuid, case_id) VALUES ($1, $2, $3)', [
          municipality,
          uuid,
          caseId,
        ]);
        await stack.sql('UPDATE messages SET suggestion_run_at = NULL WHERE id = $1', [id]);
        messages.push({ id, caseId, job: { messageId: id, municipality, run: await runOf(id) } });
      }
      return messages;
    }

    it('shares a transaction per municipality, and each message gets its own case, event and audit event', async () => {
      const ours = await awaitingSuggestion(3);
      const theirs = await awaitingSuggestion(2, VESTERSUND);
      const all = [...ours, ...theirs];
      const announced = crashPointPassed('suggestion-committed', all.length);
      await Promise.all(all.map(({ job }) => handle(job)));
      await announced;

      const ids = all.map(({ id }) => id);
      const rows = await stack.sql(
        `SELECT m.id, suggested_case_id AS "caseId", m.version, e.type, e.version AS event, a.details->>'caseId' AS audited
         FROM messages m JOIN events e ON e.message_id = m.id AND e.version = 2
         JOIN audit_events a ON a.message_id = m.id AND a.action = 'suggested' WHERE m.id = ANY ($1)`,
        [ids],
      );
      const expected = all.map(({ id, caseId }) => ({
        id,
        caseId,
        version: 2,
        type: 'suggested',
        event: 2,
        audited: caseId,
      }));
      expect(rows).toHaveLength(expected.length);
      expect(rows).toEqual(expect.arrayContaining(expected));
      const transactions = await stack.sql('SELECT DISTINCT xmin::text FROM messages WHERE id = ANY ($1)', [ids]);
      expect(transactions).toHaveLength(2);
    });

    it('fails alone when its own message cannot be written', async () => {
      const [good, bad, alsoGood] = (await awaitingSuggestion(3)) as [Waiting, Waiting, Waiting];
      await stack.sql(`
        CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE 'refused'; END $$;
        CREATE TRIGGER refuse BEFORE UPDATE ON messages FOR EACH ROW WHEN (NEW.id = '${bad.id}') EXECUTE FUNCTION refuse()`);
      try {
        const ends = await Promise.allSettled([good, bad, alsoGood].map(({ job }) => handle(job)));
        expect(ends.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled']);
      } finally {
        await stack.sql('DROP FUNCTION refuse CASCADE');
      }
      expect(await suggestionOf(good.id)).toMatchObject({ caseId: good.caseId });
      expect(await suggestionOf(bad.id)).toBeNull();
      expect(await suggestionOf(alsoGood.id)).toMatchObject({ caseId: alsoGood.caseId });
      await handle(bad.job);
      expect(await suggestionOf(bad.id)).toMatchObject({ caseId: bad.caseId });
    });

    type Waiting = Awaited<ReturnType<typeof awaitingSuggestion>>[number];
  });

  it('of an outdated run writes nothing', async () => {
    const id = await deliverReply(stack, answering(randomUUID()));
    await stack.sql('UPDATE messages SET suggestion_run_at = NULL, suggestion_run = 9 WHERE id = $1', [id]);
    await handle({ messageId: id, municipality: ODENSKOV, run: 8 });
    const [row] = await stack.sql('SELECT FROM messages WHERE id = $1 AND suggestion_run_at IS NULL', [id]);
    expect(row).toBeDefined();
    await handle({ messageId: id, municipality: ODENSKOV, run: 9 });
  });
});
