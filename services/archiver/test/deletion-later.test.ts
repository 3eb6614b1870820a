import { randomUUID } from 'node:crypto';
import { CommonConfig, DAY, readConfig } from '@indbakke/shared/config';
import { sweepContentRemovals } from '@indbakke/shared/inbox';
import { openParts, type Parts } from '@indbakke/shared/service';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { DELETION } from '../../../infra/src/testkit/inbox-client.js';
import {
  CASEWORKER_ROLES,
  ODENSKOV,
  startTestStack,
  type TestStack,
  type TokenOptions,
  VESTERSUND,
} from '../../../infra/src/testkit/stack.js';
import { TEST_CITIZEN } from '../../../infra/src/testkit/write-memo.js';
import { BulkAnswer, type DocumentAnswer, DocumentCounts } from '../../../shared/src/api/index.js';
import { signToken } from '../../../shared/test/access/sign.js';
import { auditOf, change, deliverMemo, expectProblem, list, read } from '../../../shared/test/inbox/support.js';
import { destroyDue } from '../src/deletion/destroy-due.js';

// Deletion that another person confirms, or that comes later; and legal holds, which stop it.

let stack: TestStack;
let parts: Parts;

beforeAll(async () => {
  stack = await startTestStack({ SMALL_CONTENT_BYTES: '0' });
  parts = await openParts(readConfig(CommonConfig, stack.env), 'by-hand');
});

afterEach(() => settings({ needsTwo: false, delayDays: 0 }));

afterAll(async () => {
  await parts.queues.close();
  await parts.store.close();
  await stack.close();
});

const settings = ({ needsTwo = false, delayDays = 0 }) =>
  stack.sql('UPDATE municipalities SET deletion_needs_two = $1, deletion_delay_days = $2', [needsTwo, delayDays]);

type Caller = TokenOptions & { readonly onBehalfOf?: string };

const ANNA: Caller = { user: 'anna' };
const BO: Caller = { user: 'bo' };
const READER: Caller = { user: 'reader', roles: CASEWORKER_ROLES.filter((role) => role !== 'DigitalPost.Slet') };
const CORE: Caller = { user: 'dubu-core', system: true, roles: CASEWORKER_ROLES };

async function rejected(subject = 'Reklame'): Promise<string> {
  const id = await deliverMemo(stack, { subject });
  await change(stack, 'POST', `${id}/rejection`, {
    version: 1,
    body: { reason: 'unwanted', explanation: 'Det er reklame' },
  });
  return id;
}

/** The token of somebody who acts for another, which the local issuer does not make. */
async function tokenFor({ user, roles = CASEWORKER_ROLES, system = false, onBehalfOf }: Caller) {
  const claims = { sub: user, municipality: ODENSKOV, roles, system, on_behalf_of: onBehalfOf };
  return { authorization: `Bearer ${await signToken(stack.env, claims)}` };
}

async function call(method: string, id: string, path: string, version: number, as: Caller, body?: object) {
  const headers = as.onBehalfOf === undefined ? {} : await tokenFor(as);
  return stack.call(method, `/incoming-documents/${id}/${path}`, { as, version, headers, ...(body && { body }) });
}
const ask = (id: string, version = 2, as = ANNA) => call('POST', id, 'deletion', version, as, DELETION);
const confirm = (id: string, version = 3, as = BO) => call('POST', id, 'deletion/confirmation', version, as);
const cancel = (id: string, version = 3, as = ANNA) => call('DELETE', id, 'deletion', version, as);
const hold = (id: string, version: number, as = ANNA, reason = 'Retssag') =>
  call('PUT', id, 'legal-hold', version, as, { reason });
const lift = (id: string, version: number, as = ANNA, reason = 'Sagen er slut') =>
  call('DELETE', id, 'legal-hold', version, as, { reason });

async function done(response: Response): Promise<object> {
  expect(response.status, await response.clone().text()).toBe(200);
  return (await response.json()) as object;
}

const deedsOf = async (id: string) =>
  (await auditOf(stack, { messageId: id }))
    .filter(({ result, action }) => result === 'done' && !action.startsWith('read') && action !== 'first-look')
    .map(({ action, actor }) => `${action} by ${actor}`);
const stored = async (id: string) => {
  const [row] = await stack.sql<{ status: string; keys: number; details: number }>(
    `SELECT status, (SELECT count(*)::int FROM message_keys WHERE message_id = m.id) AS keys,
       (SELECT count(*)::int FROM message_details WHERE message_id = m.id) AS details FROM messages m WHERE id = $1`,
    [id],
  );
  return row;
};
const GONE = { status: 'deleted', keys: 0, details: 0 };
const KEPT = { status: 'rejected', keys: 1, details: 1 };

async function blobs(): Promise<string[]> {
  const names: string[] = [];
  for await (const { name } of parts.blobs.list()) names.push(name);
  return names;
}

const inDays = (days: number) => new Date(Date.now() + days * DAY);
const isRejected = (query: string) => `?status=rejected&limit=200${query}`;
const idsIn = async (query: string, as?: TokenOptions) =>
  (await list(stack, isRejected(query), as)).items.map(({ id }) => id);
async function countsOf(as: TokenOptions) {
  const response = await stack.call('GET', '/incoming-documents/summary?status=rejected', { as });
  return DocumentCounts.parse(await response.json());
}

describe('where two persons are needed', () => {
  it('one asks for the deletion and another confirms it', async () => {
    await settings({ needsTwo: true });
    const id = await rejected();
    expect(await done(await ask(id))).toEqual({ id, status: 'rejected', version: 3 });
    expect(await stored(id)).toEqual(KEPT);
    expect((await read(stack, id, READER)).deletion).toEqual({
      state: 'requested',
      requestedAt: expect.any(String),
      requestedBy: 'anna',
      confirmedBy: null,
      dueAt: null,
      ...DELETION,
    });
    expect(await done(await confirm(id))).toEqual({ id, status: 'deleted', version: 4 });
    expect(await stored(id)).toEqual(GONE);
    expect((await deedsOf(id)).slice(-2)).toEqual(['deletion-requested by anna', 'deleted by bo']);
    const [deleted] = await stack.sql(`SELECT details FROM audit_events WHERE message_id = $1 AND action = 'deleted'`, [
      id,
    ]);
    expect(deleted).toEqual({ details: { ...DELETION, requestedBy: 'anna' } });
  });

  it.each<[string, Caller, Caller]>([
    ['the same user', ANNA, ANNA],
    ['the same user for somebody else', ANNA, { ...ANNA, onBehalfOf: 'bo' }],
    ['the core for the same user', ANNA, { ...CORE, onBehalfOf: 'anna' }],
    ['the same user, for whom the core asked', { ...CORE, onBehalfOf: 'anna' }, ANNA],
    ['the core by itself', ANNA, CORE],
    ['the core by itself, which asked by itself', CORE, CORE],
  ])('%s is no second person', async (_, asks, confirms) => {
    await settings({ needsTwo: true });
    const id = await rejected();
    await done(await ask(id, 2, asks));
    await expectProblem(await confirm(id, 3, confirms), 403, 'second-person-needed');
    const { deletion, allowed } = await read(stack, id, ANNA);
    expect(deletion?.state).toBe('requested');
    expect(allowed).toContain('deletion-cancelled');
    expect(allowed.includes('deletion-confirmed')).toBe(deletion?.requestedBy !== 'anna');
    expect((await read(stack, id, BO)).allowed).toContain('deletion-confirmed');
    expect(await done(await confirm(id, 3, { ...CORE, onBehalfOf: 'bo' }))).toMatchObject({ status: 'deleted' });
  });

  it('whoever may delete withdraws it; then it is rejected as before, and can be asked for again', async () => {
    await settings({ needsTwo: true });
    const id = await rejected();
    await done(await ask(id));
    await expectProblem(await ask(id, 3, BO), 409, 'wrong-deletion');
    expect(await done(await cancel(id, 3, BO))).toMatchObject({ status: 'rejected', version: 4 });
    expect(await read(stack, id)).toMatchObject({ deletion: null, rejection: { explanation: 'Det er reklame' } });
    await expectProblem(await confirm(id, 4), 409, 'wrong-deletion');
    await expectProblem(await cancel(id, 4), 409, 'wrong-deletion');
    await done(await ask(id, 4, BO));
    expect((await read(stack, id)).deletion?.requestedBy).toBe('bo');
  });

  it('what was asked for waits on, though two are no longer needed', async () => {
    await settings({ needsTwo: true });
    const id = await rejected();
    await done(await ask(id));
    await settings({ needsTwo: false });
    await expectProblem(await confirm(id, 3, ANNA), 403, 'second-person-needed');
    await done(await confirm(id));
    expect(await stored(id)).toEqual(GONE);
  });

  it('a repeat of each call gets the first answer, and does nothing', async () => {
    await settings({ needsTwo: true });
    const id = await rejected();
    const asked = await done(await ask(id));
    expect(await done(await ask(id))).toEqual(asked);
    const confirmed = await done(await confirm(id));
    expect(await done(await confirm(id))).toEqual(confirmed);
    expect(await deedsOf(id)).toHaveLength(4);
  });

  it('of many who confirm at once one does it', async () => {
    await settings({ needsTwo: true });
    const id = await rejected();
    await done(await ask(id));
    const answers = await Promise.all(['b', 'c', 'd'].map((user) => confirm(id, 3, { user })));
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(1);
    expect((await deedsOf(id)).filter((deed) => deed.startsWith('deleted'))).toHaveLength(1);
  });

  it('the list and the summary have what waits', async () => {
    await settings({ needsTwo: true });
    const before = (await countsOf(READER)).deletion.requested;
    const [waits, other] = [await rejected(), await rejected()];
    await done(await ask(waits));
    expect(await idsIn('&deletion=requested')).toContain(waits);
    expect(await idsIn('&deletion=requested')).not.toContain(other);
    expect(await idsIn('&deletion=scheduled')).not.toContain(waits);
    expect((await countsOf(READER)).deletion.requested).toBe(before + 1);
    const pending = await stack.call('GET', '/incoming-documents?deletion=requested');
    await expectProblem(pending, 400, 'bad-request');
  });
});

describe('while a deletion delay runs', () => {
  async function scheduled(subject?: string): Promise<string> {
    await settings({ delayDays: 3 });
    const id = await rejected(subject);
    expect(await done(await ask(id))).toEqual({ id, status: 'rejected', version: 3 });
    return id;
  }

  it('nobody reads the message but who may cancel it', async () => {
    const word = `Ord${randomUUID().slice(0, 8)}`;
    await settings({ delayDays: 3 });
    const id = await rejected(word);
    const search = async (path: string, as: TokenOptions) => {
      const body = { q: word, status: ['rejected'] };
      const response = await stack.call('POST', `/incoming-documents/${path}`, { as, body });
      return ((await response.json()) as { items: unknown[] }).items.length;
    };
    const found = async (as: TokenOptions) => ({
      listed: (await idsIn('', as)).includes(id),
      searched: await search('search', as),
      ids: await search('ids', as),
      total: (await countsOf(as)).total,
    });
    const before = await found(READER);
    expect(before).toMatchObject({ listed: true, searched: 1, ids: 1 });
    const fileId = (await read(stack, id)).documents[0]?.files[0]?.id;
    await done(await ask(id));
    expect(await found(READER)).toEqual({ listed: false, searched: 0, ids: 0, total: before.total - 1 });
    expect(await found(BO)).toMatchObject({ listed: true, searched: 1, ids: 1 });
    for (const path of ['', '/text', '/zip', `/files/${fileId}`]) {
      const as = (who: TokenOptions) => stack.call('GET', `/incoming-documents/${id}${path}`, { as: who });
      await expectProblem(await as(READER), 404, 'not-found');
      const response = await as(BO);
      expect(response.status).toBe(200);
      await response.arrayBuffer();
    }
    await expectProblem(await cancel(id, 3, READER), 403, 'role-missing');
    const stranger = { ...BO, roles: ['IndkomneDokumenter.Læs', 'DigitalPost.Slet'] }; // does not see it otherwise
    await expectProblem(await cancel(id, 3, stranger), 404, 'not-found');
    await expectProblem(await cancel(id, 3, { ...BO, municipality: VESTERSUND }), 404, 'not-found');
  });

  it('the message tells when it is destroyed, and the list and the summary have it', async () => {
    const id = await scheduled();
    const { deletion } = await read(stack, id, BO);
    expect(deletion).toMatchObject({ state: 'scheduled', requestedBy: 'anna', confirmedBy: null });
    const due = Date.parse(deletion?.dueAt ?? '');
    expect(due - Date.parse(deletion?.requestedAt ?? '')).toBe(3 * DAY);
    expect(await idsIn('&deletion=scheduled')).toContain(id);
    expect(await idsIn('&deletion=scheduled', READER)).toEqual([]);
    const { scheduled: count, nextDue } = (await countsOf(BO)).deletion;
    expect(count).toBeGreaterThan(0);
    expect(Date.parse(nextDue ?? '')).toBeLessThanOrEqual(due);
    expect((await countsOf(READER)).deletion).toMatchObject({ scheduled: 0, nextDue: null });
  });

  it('it is cancelled, and the message is rejected as before, for all to read', async () => {
    const id = await scheduled();
    expect(await done(await cancel(id, 3, BO))).toEqual({ id, status: 'rejected', version: 4 });
    expect(await read(stack, id, READER)).toMatchObject({
      deletion: null,
      rejection: { reason: 'unwanted', explanation: 'Det er reklame' },
    });
    await destroyDue(parts, inDays(20));
    expect(await stored(id)).toEqual(KEPT);
  });

  it('who reopens the message cancels it', async () => {
    const id = await scheduled();
    expect(await done(await call('DELETE', id, 'rejection', 3, BO))).toMatchObject({ status: 'pending', version: 4 });
    await destroyDue(parts, inDays(20));
    expect(await read(stack, id, READER)).toMatchObject({ status: 'pending', deletion: null });
  });

  it('a change of the settings changes nothing of it', async () => {
    const id = await scheduled();
    const due = (await read(stack, id)).deletion?.dueAt;
    await settings({ needsTwo: true, delayDays: 14 });
    expect((await read(stack, id)).deletion?.dueAt).toBe(due);
    await settings({ delayDays: 0 });
    await destroyDue(parts, new Date());
    expect(await stored(id)).toEqual(KEPT);
    await destroyDue(parts, inDays(3));
    expect(await stored(id)).toEqual(GONE);
  });

  it('the message is destroyed when it is over, not before: key, content and personal rows, in the name of who decided', async () => {
    await settings({ needsTwo: true, delayDays: 14 });
    const id = await rejected();
    const [{ blob_name: blobName } = { blob_name: '' }] = await stack.sql<{ blob_name: string }>(
      'SELECT blob_name FROM messages WHERE id = $1',
      [id],
    );
    await done(await ask(id));
    expect(await done(await confirm(id))).toEqual({ id, status: 'rejected', version: 4 });
    expect((await read(stack, id)).deletion).toMatchObject({ state: 'scheduled', confirmedBy: 'bo' });
    await destroyDue(parts, inDays(13.99));
    expect(await stored(id)).toEqual(KEPT);
    expect(await destroyDue(parts, inDays(14.01))).toBeGreaterThan(0);
    expect(await stored(id)).toEqual(GONE);
    expect(await blobs()).not.toContain(blobName);
    expect((await deedsOf(id)).slice(-3)).toEqual([
      'deletion-requested by anna',
      'deletion-confirmed by bo',
      'deleted by indbakke',
    ]);
    const [row] = await stack.sql(
      `SELECT on_behalf_of, role, details FROM audit_events WHERE message_id = $1 AND action = 'deleted'`,
      [id],
    );
    expect(row).toEqual({ on_behalf_of: 'bo', role: 'DigitalPost.Slet', details: DELETION });
    const left = await stack.sql(
      `SELECT to_jsonb(m) AS row FROM messages m WHERE id = $1 AND deletion_due_at IS NULL AND deletion_requested_by IS NULL`,
      [id],
    );
    expect(left).toHaveLength(1);
    await expectProblem(await stack.call('GET', `/incoming-documents/${id}`, { as: BO }), 404, 'not-found');
  });

  it('what cannot be destroyed does not keep the others from it, and is destroyed later', async () => {
    const ids = [await scheduled(), await scheduled(), await scheduled()];
    const stubborn: Parts['store'] = {
      ...parts.store,
      withTenantConnection: (municipality, work) =>
        parts.store.withTenantConnection(municipality, async (connection) => {
          const result = await work(connection);
          const [gone] = (await connection.query(`SELECT status FROM messages WHERE id = $1`, [ids[0]])).rows;
          if (gone?.status === 'deleted') throw new Error('the database is odd');
          return result;
        }),
    };
    await expect(destroyDue({ ...parts, store: stubborn }, inDays(4))).rejects.toThrow('odd');
    expect(await Promise.all(ids.map(stored))).toEqual([KEPT, GONE, GONE]);
    await destroyDue(parts, inDays(4));
    expect(await stored(ids[0] as string)).toEqual(GONE);
  });

  it('two sweeps at once destroy each message once', async () => {
    const ids = await Promise.all(Array.from({ length: 4 }, () => scheduled()));
    await Promise.all([destroyDue(parts, inDays(4)), destroyDue(parts, inDays(4))]);
    for (const id of ids) {
      expect((await deedsOf(id)).filter((deed) => deed.startsWith('deleted'))).toEqual(['deleted by indbakke']);
    }
    await sweepContentRemovals(parts);
  });

  it('the core cannot set up a letter as its answer', async () => {
    const setUp = (answers: string) => {
      const letter = { messageUUID: randomUUID(), caseId: 'K-9', recipientId: TEST_CITIZEN.id, answers };
      return stack.call('POST', '/replies/setup', { as: { user: 'dubu-core', system: true }, body: letter });
    };
    await expectProblem(await setUp(await rejected()), 400, 'bad-request'); // seen, but sent to no contact point
    await expectProblem(await setUp(await scheduled()), 404, 'not-found');
  });

  it('the archiver’s own sweep destroys what is due', async () => {
    const id = await scheduled();
    await stack.sql(`UPDATE messages SET deletion_due_at = now() - interval '1 second' WHERE id = $1`, [id]);
    await expect.poll(() => stored(id), { timeout: 15_000 }).toEqual(GONE);
  });
});

describe('a legal hold', () => {
  it('is set with a reason, shown with who and when, and lifted with another', async () => {
    const id = await deliverMemo(stack);
    expect(await done(await hold(id, 1, READER, ' Retssag om anbringelsen '))).toEqual({
      id,
      status: 'pending',
      version: 2,
    });
    expect(await read(stack, id)).toMatchObject({
      legalHold: true,
      legalHolds: [
        {
          reason: 'Retssag om anbringelsen',
          setAt: expect.any(String),
          setBy: 'reader',
          liftedAt: null,
          liftedBy: null,
        },
      ],
    });
    await expectProblem(await lift(id, 2, READER), 403, 'role-missing');
    await expectProblem(await hold(id, 2), 409, 'wrong-legal-hold');
    await done(await lift(id, 2, BO));
    const { legalHold, legalHolds, history } = await read(stack, id);
    expect(legalHold).toBe(false);
    expect(legalHolds).toMatchObject([{ setBy: 'reader', liftedBy: 'bo', liftedReason: 'Sagen er slut' }]);
    expect(history.slice(-2).map(({ action, by, details }) => [action, by, details])).toEqual([
      ['legal-hold-set', 'reader', {}],
      ['legal-hold-lifted', 'bo', {}],
    ]);
    await expectProblem(await lift(id, 3, BO), 409, 'wrong-legal-hold');
    const nobody = { user: 'nobody', roles: ['IndkomneDokumenter.Læs', 'IndkomneDokumenter.SeAlle'] };
    await expectProblem(await hold(id, 3, nobody), 403, 'role-missing');
    await done(await hold(id, 3, BO, 'Igen'));
    const again: DocumentAnswer = await read(stack, id);
    expect(again.legalHolds.map(({ reason }) => reason)).toEqual(['Igen', 'Retssag om anbringelsen']);
  });

  it.each(['', 'ab', '  a  ', 'x'.repeat(1_001)])('needs a reason of 3 to 1000 characters: %#', async (reason) => {
    const id = await deliverMemo(stack);
    await expectProblem(await hold(id, 1, ANNA, reason), 400, 'bad-request');
  });

  it('stops deletion until it is lifted', async () => {
    const id = await rejected();
    await done(await hold(id, 2));
    await expectProblem(await ask(id, 3), 409, 'legal-hold');
    expect((await read(stack, id)).allowed).not.toContain('deleted');
    expect(await stored(id)).toEqual(KEPT);
    await done(await lift(id, 3));
    await done(await ask(id, 4));
    expect(await stored(id)).toEqual(GONE);
    expect(await stack.sql('SELECT FROM legal_holds WHERE message_id = $1', [id])).toEqual([]);
  });

  it('cancels a deletion that runs: the message can be read again, and stays when the hold is lifted', async () => {
    await settings({ delayDays: 1 });
    const id = await rejected();
    await done(await ask(id));
    await expectProblem(await hold(id, 3, READER), 404, 'not-found');
    await done(await hold(id, 3, BO));
    expect(await read(stack, id, READER)).toMatchObject({ legalHold: true, deletion: null });
    await done(await lift(id, 4));
    await destroyDue(parts, inDays(20));
    expect(await stored(id)).toEqual(KEPT);
    const [row] = await stack.sql(
      `SELECT details FROM audit_events WHERE message_id = $1 AND action = 'legal-hold-set'`,
      [id],
    );
    expect(row).toEqual({ details: { deletionCancelled: true } });
  });

  it('cancels a deletion that waits for another person', async () => {
    await settings({ needsTwo: true });
    const id = await rejected();
    await done(await ask(id));
    await done(await hold(id, 3, READER));
    await expectProblem(await confirm(id, 4), 409, 'legal-hold');
    await done(await lift(id, 4));
    await expectProblem(await confirm(id, 5), 409, 'wrong-deletion');
  });

  it.each([
    ['journalized', 'journalization', { caseIds: ['K-1'] }],
    ['rejected', 'rejection', { reason: 'unwanted', explanation: 'Det er reklame' }],
  ])('can be set on a message that is %s', async (status, path, body) => {
    await stack.call('PUT', '/cases/K-1', { as: { user: 'dubu-core', system: true }, body: {} });
    const id = await deliverMemo(stack);
    await change(stack, 'POST', `${id}/${path}`, { version: 1, body });
    expect(await done(await hold(id, 2))).toMatchObject({ status });
  });

  it('the list and the summary have those under one', async () => {
    const [held, free] = [await rejected(), await rejected()];
    await done(await hold(held, 2));
    expect(await idsIn('&legalHold=true')).toContain(held);
    expect(await idsIn('&legalHold=true')).not.toContain(free);
    expect(await idsIn('&legalHold=false')).toContain(free);
    expect(await idsIn('&legalHold=false')).not.toContain(held);
    expect((await countsOf(ANNA)).legalHold).toBe((await idsIn('&legalHold=true')).length);
  });
});

describe('a bulk', () => {
  const bulk = async (body: object, as = ANNA) => {
    const response = await stack.call('POST', '/incoming-documents/bulk', { as, body });
    expect(response.status, await response.clone().text()).toBe(200);
    return BulkAnswer.parse(await response.json()).items;
  };
  const codesOf = (items: Awaited<ReturnType<typeof bulk>>) =>
    items.map((item) => item.done?.status ?? item.problem?.code);

  it('deletes, and answers for each', async () => {
    const ids = [await rejected(), await rejected(), await rejected()] as const;
    await done(await hold(ids[1], 2));
    const pending = await deliverMemo(stack);
    const items = [...ids.map((id, at) => ({ id, version: at === 1 ? 3 : 2 })), { id: pending, version: 1 }];
    const answers = await bulk({ action: 'delete', items: items.map((item) => ({ ...item, ...DELETION })) });
    expect(codesOf(answers)).toEqual(['deleted', 'legal-hold', 'deleted', 'wrong-status']);
    expect(await Promise.all(ids.map(stored))).toEqual([GONE, KEPT, GONE]);
    const reader = await stack.call('POST', '/incoming-documents/bulk', {
      as: READER,
      body: { action: 'delete', items: [{ id: ids[1], version: 3, ...DELETION }] },
    });
    await expectProblem(reader, 403, 'role-missing');
  });

  it('asks for deletions, confirms those that others asked for, and cancels them', async () => {
    await settings({ needsTwo: true, delayDays: 2 });
    const ids = await Promise.all(Array.from({ length: 3 }, () => rejected()));
    const at = (version: number) => ids.map((id) => ({ id, version }));
    const asked = await bulk({ action: 'delete', items: at(2).map((item) => ({ ...item, ...DELETION })) });
    expect(codesOf(asked)).toEqual(['rejected', 'rejected', 'rejected']);
    expect(codesOf(await bulk({ action: 'confirm-deletion', items: at(3) }))).toEqual(
      Array(3).fill('second-person-needed'),
    );
    expect(codesOf(await bulk({ action: 'confirm-deletion', items: at(3) }, BO))).toEqual(Array(3).fill('rejected'));
    expect((await read(stack, ids[0] as string)).deletion?.state).toBe('scheduled');
    await bulk({ action: 'cancel-deletion', items: at(4) }, BO);
    expect(await read(stack, ids[2] as string, READER)).toMatchObject({ deletion: null, version: 5 });
  });

  it('of 500 messages is answered at once', { tags: 'long' }, async () => {
    const like = await rejected();
    await stack.sql(
      `INSERT INTO messages SELECT (m2).* FROM (
         SELECT jsonb_populate_record(m, jsonb_build_object('id', new.id, 'external_id', new.id, 'transmission_id', new.id, 'blob_name', NULL)) AS m2
         FROM messages m, (SELECT gen_random_uuid() AS id FROM generate_series(1, 500)) AS new WHERE m.id = $1) AS copies`,
      [like],
    );
    const rows = await stack.sql<{ id: string }>(
      `SELECT id FROM messages WHERE municipality = $1 AND status = 'rejected' AND blob_name IS NULL LIMIT 500`,
      [ODENSKOV],
    );
    const items = rows.map(({ id }) => ({ id, version: 2, ...DELETION }));
    const answers = await bulk({ action: 'delete', items });
    expect(answers.filter((item) => item.done?.status === 'deleted')).toHaveLength(500);
  });
});
