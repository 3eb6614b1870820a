import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { sendingOn } from '../../../infra/src/testkit/sending-on.js';
import {
  ODENSKOV,
  startTestStack,
  type TestStack,
  type TokenOptions,
  VESTERSUND,
} from '../../../infra/src/testkit/stack.js';
import { OPERATIONS, type Operation, takesIdempotencyKey } from '../../src/api/index.js';
import { sweepIdempotencyKeys } from '../../src/idempotency/index.js';
import { openStore } from '../../src/store/index.js';
import { signToken } from '../access/sign.js';
import { arrangeFor, assign, CASES, CHANGES, type Change, journalize, send, writtenOf } from './changes.js';
import { deliverMemo, expectProblem, SETUP, upsertCase } from './support.js';

let stack: TestStack;

beforeAll(async () => {
  stack = await startTestStack(sendingOn);
  for (const caseId of CASES) await upsertCase(stack, caseId);
});

afterAll(() => stack.close());

const sendWith = (key: string, id: string, change: Change, version: number, as: TokenOptions = SETUP) =>
  send(stack, id, change, version, as, { 'idempotency-key': key });

const answerOf = async (response: Response) => ({
  status: response.status,
  etag: response.headers.get('etag'),
  body: await response.json(),
});

const isReplayed = (response: Response) => response.headers.get('idempotency-replayed') === 'true';

describe.each(CHANGES)('$name with an Idempotency-Key', (example) => {
  const { before = [], change, status, others = [] } = example;
  const version = before.length + 1;
  const ready = () => arrangeFor(stack, example);

  it('again gives the first answer, whatever came after, and writes nothing', async () => {
    const [id, key] = [await ready(), randomUUID()];
    const first = await sendWith(key, id, change, version);
    const answer = await answerOf(first);
    expect(isReplayed(first)).toBe(false);
    expect(answer).toEqual({ status: 200, etag: `"${version + 1}"`, body: { id, status, version: version + 1 } });
    // Others went on with it, and nobody sees it any more. A sweep would end its offer at its own time.
    const ended = `status = 'void', ended_at = now(), ended_by = 'indbakke'`;
    await stack.sql(`UPDATE handovers SET ${ended} WHERE message_id = $1 AND status = 'open'`, [id]);
    const gone = `status = 'deleted', status_before = NULL, held_cause = NULL, version = version + 3`;
    await stack.sql(`UPDATE messages SET ${gone} WHERE id = $1`, [id]);
    const written = await writtenOf(stack, id);

    const again = await sendWith(key, id, change, version);

    expect([isReplayed(again), await answerOf(again)]).toEqual([true, answer]);
    expect(await writtenOf(stack, id)).toEqual(written);
  });

  it('at the same time gives everyone the first answer, once written', async () => {
    const [id, key] = [await ready(), randomUUID()];
    const responses = await Promise.all(Array.from({ length: 5 }, () => sendWith(key, id, change, version)));
    expect(responses.filter(isReplayed)).toHaveLength(4);
    const bodies = await Promise.all(responses.map((response) => response.json()));
    expect(bodies).toEqual(Array(5).fill({ id, status, version: version + 1 }));
    expect(await stack.sql('SELECT FROM events WHERE message_id = $1', [id])).toHaveLength(version + 1);
  });

  it('that was used for another version, content, message or change is refused, and changes nothing', async () => {
    const [id, other, key] = [await ready(), await ready(), randomUUID()];
    await sendWith(key, id, change, version);
    const written = [await writtenOf(stack, id), await writtenOf(stack, other)];
    const refused = [
      sendWith(key, id, change, version + 1),
      ...others.map((body) => sendWith(key, id, { ...change, body }, version)),
      sendWith(key, other, change, version),
      sendWith(key, id, change.path === 'release' ? assign : { method: 'POST', path: 'release' }, version),
    ];
    for (const response of await Promise.all(refused)) {
      expect(await expectProblem(response, 422, 'key-reused')).toMatchObject({ path: 'header.idempotency-key' });
    }
    expect([await writtenOf(stack, id), await writtenOf(stack, other)]).toEqual(written);
  });
});

it('every call that changes a message is among these', () => {
  const known = CHANGES.map(({ change: { method, path } }) => `${method} ${path}`);
  const calls = Object.values<Operation>(OPERATIONS).filter(({ change }) => change !== undefined);
  const all = calls.map(
    ({ method, path }) => `${method.toUpperCase()} ${path.replace('/api/v1/incoming-documents/:id/', '')}`,
  );
  expect(known.toSorted()).toEqual(all.toSorted());
  expect(calls.every(takesIdempotencyKey)).toBe(true);
});

describe('an Idempotency-Key', () => {
  it('is the caller’s own: of another user, or of one on behalf of another, it is another key', async () => {
    const [id, key] = [await deliverMemo(stack), randomUUID()];
    expect((await sendWith(key, id, assign, 1)).status).toBe(200);
    for (const claims of [
      { sub: 'setup-2' },
      { sub: SETUP.user, on_behalf_of: 'setup-2' },
      { sub: SETUP.user, system: true },
    ]) {
      const token = await signToken(stack.env, { municipality: ODENSKOV, roles: SETUP.roles, ...claims });
      const headers = { authorization: `Bearer ${token}`, 'idempotency-key': key };
      await expectProblem(await send(stack, id, assign, 1, SETUP, headers), 412, 'version-changed');
    }
  });

  it('is the municipality’s own', async () => {
    const [id, key] = [await deliverMemo(stack), randomUUID()];
    const theirs = await deliverMemo(stack, { recipient: { id: VESTERSUND } });
    expect((await sendWith(key, id, assign, 1)).status).toBe(200);
    const as = { ...SETUP, municipality: VESTERSUND };
    await expectProblem(await sendWith(key, id, assign, 1, as), 404, 'not-found');
    const response = await sendWith(key, theirs, assign, 1, as);
    expect([response.status, isReplayed(response)]).toEqual([200, false]);
  });

  it('does not remember a refusal: the same call can succeed later', async () => {
    const [id, key] = [await deliverMemo(stack), randomUUID()];
    const onNewCase = { ...journalize, body: { caseIds: ['K-later'] } };
    await expectProblem(await sendWith(key, id, onNewCase, 1), 409, 'unknown-case');
    await upsertCase(stack, 'K-later');
    const responses = [await sendWith(key, id, onNewCase, 1), await sendWith(key, id, onNewCase, 1)];
    expect(responses.map((response) => [response.status, isReplayed(response)])).toEqual([
      [200, false],
      [200, true],
    ]);
  });

  it('is no way past a role: who has lost it gets no first answer', async () => {
    const [id, key] = [await deliverMemo(stack), randomUUID()];
    await sendWith(key, id, assign, 1);
    const as = { ...SETUP, roles: ['IndkomneDokumenter.Læs', 'IndkomneDokumenter.SeAlle'] };
    await expectProblem(await sendWith(key, id, assign, 1, as), 403, 'role-missing');
  });

  it('means the same whatever the spelling of the content', async () => {
    const [id, key] = [await deliverMemo(stack), randomUUID()];
    await sendWith(key, id, { ...journalize, body: { caseIds: ['A'], reference: 'JP-1' } }, 1);
    const spelt = { ...journalize, body: { reference: ' JP-1 ', caseIds: ['A '] } };
    expect(isReplayed(await sendWith(key, id.toUpperCase(), spelt, 1))).toBe(true);
  });

  it.each(['x', '"quoted"', '~'.repeat(255)])('can be %j', async (key) => {
    expect((await sendWith(key, await deliverMemo(stack), assign, 1)).status).toBe(200);
  });

  it.each(['', ' ', 'two words', 'æ', '\t', 'x'.repeat(256)])('cannot be %j', async (key) => {
    const id = await deliverMemo(stack);
    const problem = await expectProblem(await sendWith(key, id, assign, 1), 400, 'bad-request');
    expect(problem).toMatchObject({
      path: 'header.idempotency-key',
      detail: 'header.idempotency-key: must be 1 to 255 visible ASCII characters.',
    });
  });

  it('is ignored by a call that only reads or registers', async () => {
    const headers = { 'idempotency-key': 'not one key' };
    expect((await stack.call('GET', '/incoming-documents', { headers })).status).toBe(200);
    const as = { user: 'dubu-core', system: true };
    expect((await stack.call('PUT', '/cases/A', { as, headers, body: {} })).status).toBe(204);
  });

  it('is stored as a keyed hash, with ids and codes only, for 24 hours', async () => {
    const id = await deliverMemo(stack);
    await stack.sql('DELETE FROM idempotency_keys');
    const rejection = { reason: 'other', explanation: '4101019999 har ringet' };
    const [kept, over] = [randomUUID(), randomUUID()];
    await sendWith(kept, id, { method: 'POST', path: 'rejection', body: rejection }, 1);
    const [row] = await stack.sql<Record<string, unknown>>('SELECT * FROM idempotency_keys');
    expect(row).toMatchObject({ municipality: ODENSKOV, answer: { id, status: 'rejected', version: 2 } });
    expect([row?.key_digest, row?.request_digest]).toEqual([expect.any(Buffer), expect.any(Buffer)]);
    expect(Object.keys(row ?? {})).toHaveLength(5);

    await sendWith(over, await deliverMemo(stack), assign, 1);
    await stack.sql(
      `UPDATE idempotency_keys SET at = now() - interval '24 hours' + interval '1 minute' WHERE key_digest = $1`,
      [row?.key_digest],
    );
    await stack.sql(`UPDATE idempotency_keys SET at = now() - interval '24 hours 1 second' WHERE key_digest <> $1`, [
      row?.key_digest,
    ]);
    const store = openStore({ url: stack.serviceUrl, connections: 1, name: 'sweep' });
    await sweepIdempotencyKeys(store);
    await store.close();
    expect(await stack.sql('SELECT key_digest FROM idempotency_keys')).toEqual([{ key_digest: row?.key_digest }]);
  });

  it('is swept in small parts, however many have waited for it', async () => {
    await stack.sql('DELETE FROM idempotency_keys');
    await stack.sql(
      `INSERT INTO idempotency_keys (municipality, key_digest, request_digest, answer, at)
       SELECT $1, n::text::bytea, '', '{}', now() - interval '29 hours 59 minutes 30 seconds' + n * interval '1 minute' FROM generate_series(0, 599) AS n`,
      [ODENSKOV],
    );
    const store = openStore({ url: stack.serviceUrl, connections: 1, name: 'sweep' });
    const counts: unknown[] = [];
    await sweepIdempotencyKeys({
      async sweep(text, values) {
        const rows = await store.sweep<never>(text, values);
        counts.push(...rows);
        return rows;
      },
    });
    await store.close();
    expect(counts).toEqual([...Array(24).fill({ count: 15 }), { count: 0 }]);
    expect(await stack.sql('SELECT count(*)::int FROM idempotency_keys')).toEqual([{ count: 240 }]);
  });
});
