import type { BulkAnswer } from '@indbakke/shared/api';
import { type Env, readConfig } from '@indbakke/shared/config';
import type { Running } from '@indbakke/shared/service';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Failure, type Relay, startRelay } from '../../../infra/src/testkit/relay.js';
import { type CallOptions, startTestStack, type TestStack } from '../../../infra/src/testkit/stack.js';
import { deliverMemo, read, SYSTEM } from '../../../shared/test/inbox/support.js';
import { JournalerConfig, startJournaler } from '../src/app.js';

let stack: TestStack;
let relay: Relay;
let journaler: Running;

beforeAll(async () => {
  stack = await startTestStack();
  await stack.call('PUT', '/cases/K-1', { as: SYSTEM, body: {} });
  relay = await startRelay(stack.serviceUrl);
  const env: Env = { ...stack.env, DATABASE_URL: relay.url, QUEUE_URL: stack.serviceUrl };
  journaler = await startJournaler(readConfig(JournalerConfig, env));
});

afterAll(async () => {
  await journaler.close();
  await relay.close();
  await stack.close();
});

/** A call to a journaler that has the database behind the relay. */
async function call(method: string, path: string, { as, version, body, headers }: CallOptions = {}) {
  const answer = await fetch(`${journaler.url}/api/v1${path}`, {
    method,
    headers: {
      authorization: `Bearer ${await stack.token(as)}`,
      'content-type': 'application/json',
      ...(version !== undefined && { 'if-match': `"${version}"` }),
      ...headers,
    },
    ...(body !== undefined && { body: JSON.stringify(body) }),
  });
  const text = await answer.text();
  const { code, items } = (text === '' ? {} : JSON.parse(text)) as { code?: string; items?: BulkAnswer['items'] };
  const replayed = answer.headers.get('idempotency-replayed') === 'true';
  return { status: answer.status, code, retryAfter: answer.headers.get('retry-after'), replayed, items };
}

const journalize = (id: string) =>
  call('POST', `/incoming-documents/${id}/journalization`, { version: 1, body: { caseIds: ['K-1'] } });

const UNKNOWN = { status: 503, code: 'unknown-outcome', retryAfter: null, replayed: false };
const UNAVAILABLE = { status: 503, code: 'unavailable', retryAfter: '30', replayed: false };

describe('when the connection to the database ends in a call that changes a message', () => {
  const places: { at: string; when: Failure['when']; answer: typeof UNKNOWN | typeof UNAVAILABLE; status: string }[] = [
    { at: 'BEGIN', when: 'before', answer: UNAVAILABLE, status: 'pending' },
    { at: 'set_config', when: 'after', answer: UNAVAILABLE, status: 'pending' },
    { at: 'FOR UPDATE', when: 'after', answer: UNAVAILABLE, status: 'pending' },
    { at: 'INTO journalizations', when: 'after', answer: UNAVAILABLE, status: 'pending' },
    { at: 'COMMIT', when: 'before', answer: UNKNOWN, status: 'pending' },
    { at: 'COMMIT', when: 'after', answer: UNKNOWN, status: 'journalized' },
  ];

  it.each(places)('$when $at, the answer is $answer.code and the message is $status', async (place) => {
    const id = await deliverMemo(stack);
    // Not a sweep, which has transactions too.
    relay.failAt(place.at, { when: place.when, how: 'reset', having: 'indbakke.municipality' });

    expect(await journalize(id)).toEqual(place.answer);

    expect((await read(stack, id)).status).toBe(place.status);
  });
});

describe('when COMMIT of a change with an Idempotency-Key is not answered, the same call again makes it once', () => {
  it.each<[string, Failure['when'], boolean]>([
    ['and was not done', 'before', false],
    ['and was done', 'after', true],
  ])('%s', async (_name, when, isReplayed) => {
    const id = await deliverMemo(stack);
    const body = { caseIds: ['K-1'] };
    const send = () =>
      call('POST', `/incoming-documents/${id}/journalization`, {
        version: 1,
        body,
        headers: { 'idempotency-key': id },
      });
    relay.failAt('COMMIT', { when, how: 'reset', having: 'indbakke.municipality' });
    expect(await send()).toEqual(UNKNOWN);

    const answers = [await send(), await send()];

    expect(answers.map((answer) => [answer.status, answer.replayed])).toEqual([
      [200, isReplayed],
      [200, true],
    ]);
    expect(await read(stack, id)).toMatchObject({ status: 'journalized', version: 2 });
  });
});

describe('when the connection ends in the middle of a bulk, its repeat with the same Idempotency-Key finishes it', () => {
  it.each<[Failure['when'], 'a change' | 'COMMIT', string]>([
    ['before', 'a change', 'unavailable'],
    ['before', 'COMMIT', 'unknown-outcome'],
    ['after', 'COMMIT', 'unknown-outcome'],
  ])('%s %s', async (when, at, code) => {
    const ids = await Promise.all(Array.from({ length: 8 }, () => deliverMemo(stack)));
    const reference = `JP-${ids[0]}`; // sent in the transaction of an item only
    const items = ids.map((id) => ({ id, version: 1, caseIds: ['K-1'], reference }));
    const send = () =>
      call('POST', '/incoming-documents/bulk', {
        body: { action: 'journalize', items },
        headers: { 'idempotency-key': ids[0] as string },
      });
    relay.failAt(at === 'COMMIT' ? at : reference, { when, how: 'reset', having: reference });

    const first = await send();
    const second = await send();

    const outcomes = (first.items ?? []).map(({ problem }) => problem?.code ?? 'done');
    expect(new Set(outcomes)).toEqual(new Set(['done', code]));
    const done = ids.map((id) => ({ id, done: { id, status: 'journalized', version: 2 }, problem: null }));
    expect(second.items).toEqual(done);
    const events = `SELECT FROM events WHERE message_id = ANY ($1) AND type = 'journalized'`;
    expect(await stack.sql(events, [ids])).toHaveLength(ids.length);
  });
});

it('a call that only reads is unavailable when its audit row may be stored', async () => {
  const id = await deliverMemo(stack);
  relay.failAt('EXECUTE', { when: 'after', how: 'reset' });

  expect(await call('GET', `/incoming-documents/${id}`)).toEqual(UNAVAILABLE);
});

it('a batch of cases whose COMMIT is not answered has failed, and the lines after it are not tried', async () => {
  const lines = Array.from({ length: 450 }, (_, n) => JSON.stringify({ caseId: `K-batch-${n}` })).join('\n');
  relay.failAt('COMMIT', { when: 'after', how: 'reset', having: 'K-batch-0' });

  const response = await fetch(`${journaler.url}/api/v1/cases`, {
    method: 'POST',
    headers: { authorization: `Bearer ${await stack.token(SYSTEM)}`, 'content-type': 'application/x-ndjson' },
    body: lines,
  });
  const answers = (await response.text())
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));

  expect(answers.map(({ status }) => status)).toEqual(Array(450).fill('failed'));
  const codes = answers.map(({ problem }) => problem.code);
  expect(codes).toEqual([...Array(200).fill('unknown-outcome'), ...Array(250).fill('unavailable')]);
  expect(await stack.sql(`SELECT FROM cases WHERE case_id LIKE 'K-batch-%'`)).toHaveLength(200);
});

it('a registration that is stored, but requests no suggestions, is not told as undone', async () => {
  relay.failAt('suggestion_run + 1', { when: 'before', how: 'reset' });

  expect(await call('PUT', '/cases/K-2', { as: SYSTEM, body: { status: 'open' } })).toEqual(UNKNOWN);

  expect(await stack.sql(`SELECT status FROM cases WHERE case_id = 'K-2'`)).toEqual([{ status: 'open' }]);
});
