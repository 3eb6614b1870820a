import { randomUUID } from 'node:crypto';
import { Agent, request } from 'node:http';
import { text } from 'node:stream/consumers';
import { gzipSync } from 'node:zlib';
import { CommonConfig, readConfig } from '@indbakke/shared/config';
import { openParts, type Parts } from '@indbakke/shared/service';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ODENSKOV, startTestStack, type TestStack, VESTERSUND } from '../../../infra/src/testkit/stack.js';
import { CaseLineAnswer } from '../../../shared/src/api/index.js';
import {
  auditOf,
  awaitSuggestion,
  deliverReply,
  expectProblem,
  read,
  registerSentMessage,
  SYSTEM,
  upsertCase,
} from '../../../shared/test/inbox/support.js';
import { sweepDueSuggestions } from '../src/suggestion/request-due-suggestions.js';

let stack: TestStack;
let parts: Parts;

beforeAll(async () => {
  stack = await startTestStack();
  parts = await openParts(readConfig(CommonConfig, stack.env), 'by-hand');
});

afterAll(async () => {
  await parts.queues.close();
  await parts.store.close();
  await stack.close();
});

const TYPE = 'application/x-ndjson';
const PARTY = '4101019999';
/** All that a version requires. */
const WHOLE = {
  status: 'open',
  movedTo: null,
  movedFrom: null,
  caseworker: 'anna',
  team: null,
  parties: [PARTY],
  restrictedTo: null,
};

type Answers = readonly CaseLineAnswer[];

function answersIn(body: string): Answers {
  const lines = body.split('\n');
  expect(lines.pop()).toBe(''); // each is whole
  return lines.map((line) => CaseLineAnswer.strict().parse(JSON.parse(line)));
}

async function send(lines: readonly (object | string | Buffer)[], municipality = ODENSKOV): Promise<Answers> {
  const body = Buffer.concat(
    lines.flatMap((line) => [
      Buffer.isBuffer(line) ? line : Buffer.from(typeof line === 'string' ? line : JSON.stringify(line)),
      Buffer.from('\n'),
    ]),
  );
  const response = await fetch(`${stack.url}/api/v1/cases`, {
    method: 'POST',
    headers: { authorization: `Bearer ${await stack.token({ ...SYSTEM, municipality })}`, 'content-type': TYPE },
    body,
  });
  expect(response.status).toBe(200);
  expect(response.headers.get('content-type')).toContain(TYPE);
  return answersIn(await response.text());
}

const statusesOf = (answers: Answers) => answers.map(({ status }) => status);
const newId = () => `K-${randomUUID()}`;
const caseOf = async (caseId: string) => {
  const [row] = await stack.sql('SELECT status, caseworker, version FROM cases WHERE case_id = $1', [caseId]);
  return row;
};

describe('a batch of cases', () => {
  it('answers each line in order with what became of it, and a repeat changes nothing', async () => {
    const ids = Array.from({ length: 450 }, newId);
    const lines = ids.map((caseId, n) => ({ ...WHOLE, caseId, caseworker: `caseworker-${n}`, version: n }));
    const expected = (status: string) => ids.map((caseId, n) => ({ line: n + 1, caseId, status, problem: null }));
    expect(await send(lines)).toEqual(expected('stored'));
    expect(await caseOf(ids[449] as string)).toEqual({ status: 'open', caseworker: 'caseworker-449', version: '449' });
    expect(await send(lines)).toEqual(expected('unchanged'));
    expect(await send(lines.map((line) => ({ ...line, version: line.version - 1 })).slice(1))).toEqual(
      expected('older')
        .slice(1)
        .map((answer, n) => ({ ...answer, line: n + 1 })),
    );
    const audited = (await auditOf(stack, { action: 'case-registered' })).map(({ details }) => details.caseId);
    expect(audited.filter((caseId) => ids.includes(caseId as string)).toSorted()).toEqual(ids.toSorted());
  });

  it('stores a case that comes twice in order, the newer one whatever the order', async () => {
    const [first, second] = [newId(), newId()];
    const answers = await send([
      { ...WHOLE, caseId: first, caseworker: 'anna', version: 1 },
      { ...WHOLE, caseId: first, caseworker: 'bo', version: 2 },
      { ...WHOLE, caseId: second, caseworker: 'bo', version: 2 },
      { ...WHOLE, caseId: second, caseworker: 'anna', version: 1 },
      { caseId: second, team: 'team-1' },
    ]);
    expect(statusesOf(answers)).toEqual(['stored', 'stored', 'stored', 'older', 'stored']);
    for (const caseId of [first, second])
      expect(await caseOf(caseId)).toMatchObject({ caseworker: 'bo', version: '2' });
  });

  it('refuses a line for its own fault, without a word of it, and stores the others', async () => {
    const [before, after] = [newId(), newId()];
    const answers = await send([
      { caseId: before },
      '{',
      '[]',
      Buffer.from('{"caseId":"K-æ"}', 'latin1'),
      '{"caseId":"K-twice","caseId":"K-twice"}',
      { caseworker: 'anna' },
      { caseId: 'K-known', caseworker: 5 },
      { caseId: 'K-known', parties: ['4101019999 Testesen'] },
      { caseId: 'K-known', unknown: 1 },
      { caseId: 'K-known', team: 'x'.repeat(300_000) },
      { caseId: 'x'.repeat(257) },
      { caseId: 'K-known', movedFrom: ODENSKOV },
      '',
      ' \t\r',
      `${JSON.stringify({ caseId: after })}\r`,
    ]);
    const invalid = (line: number, path: string, caseId: string | null = null) => ({
      line,
      caseId,
      status: 'invalid',
      problem: expect.objectContaining({ code: 'bad-request', path, detail: expect.stringMatching(/\.$/) }),
    });
    expect(answers).toEqual([
      { line: 1, caseId: before, status: 'stored', problem: null },
      ...[2, 3, 4].map((line) => invalid(line, 'line')),
      invalid(5, 'line'),
      invalid(6, 'line.caseId'),
      invalid(7, 'line.caseworker', 'K-known'),
      invalid(8, 'line.parties.0', 'K-known'),
      invalid(9, 'line.unknown', 'K-known'),
      invalid(10, 'line'),
      invalid(11, 'line.caseId'),
      invalid(12, 'line.movedFrom', 'K-known'),
      { line: 15, caseId: after, status: 'stored', problem: null },
    ]);
    expect(JSON.stringify(answers)).not.toMatch(/Testesen|9999|xxx/);
  });

  it('of two at once, in opposite orders and with other versions, ends with the newer of each', async () => {
    const ids = Array.from({ length: 400 }, newId);
    const sending = (parity: number, order: readonly string[]) =>
      send(
        order.map((caseId) => {
          const version = (ids.indexOf(caseId) + parity) % 2;
          return { ...WHOLE, caseId, caseworker: `caseworker-${version}`, version };
        }),
      );
    const answers = await Promise.all([sending(0, ids), sending(1, [...ids].reverse()), sending(1, ids)]);
    expect(answers.flat().filter(({ status }) => status === 'failed')).toEqual([]);
    const rows = await stack.sql('SELECT DISTINCT caseworker, version FROM cases WHERE case_id = ANY ($1)', [ids]);
    expect(rows).toEqual([{ caseworker: 'caseworker-1', version: '1' }]);
  });

  it('stores 10000 cases in one call, and refuses the line after them, without reading on', {
    tags: 'long',
  }, async () => {
    const prefix = newId();
    const lines = Array.from({ length: 10_002 }, (_, n) => ({ caseId: `${prefix}-${n}`, caseworker: 'anna' }));
    const answers = await send(lines);
    expect(answers).toHaveLength(10_001);
    expect(new Set(statusesOf(answers.slice(0, 10_000)))).toEqual(new Set(['stored']));
    expect(answers.at(-1)).toMatchObject({ line: 10_001, caseId: null, status: 'invalid' });
    const [stored] = await stack.sql(`SELECT count(*)::int FROM cases WHERE case_id LIKE $1`, [`${prefix}-%`]);
    expect(stored).toEqual({ count: 10_000 });
  });

  it('is its municipality’s only', async () => {
    const caseId = newId();
    await upsertCase(stack, caseId, { ...WHOLE, version: 5 });
    expect(statusesOf(await send([{ ...WHOLE, caseId, caseworker: 'bo', version: 1 }], VESTERSUND))).toEqual([
      'stored',
    ]);
    const rows = await stack.sql('SELECT municipality, caseworker FROM cases WHERE case_id = $1 ORDER BY 1', [caseId]);
    expect(rows).toEqual([
      { municipality: ODENSKOV, caseworker: 'anna' },
      { municipality: VESTERSUND, caseworker: 'bo' },
    ]);
  });

  it('of a municipality that is not set up is not found', async () => {
    const as = { ...SYSTEM, municipality: '99999999' };
    const options = { as, body: { caseId: 'K-1' }, headers: { 'content-type': TYPE } };
    await expectProblem(await stack.call('POST', '/cases', options), 404, 'not-found');
  });
});

/** A call whose body is sent piece by piece. */
async function open(more: Record<string, string> = {}) {
  const call = request(`${stack.url}/api/v1/cases`, {
    method: 'POST',
    headers: { authorization: `Bearer ${await stack.token(SYSTEM)}`, 'content-type': TYPE, ...more },
    agent: new Agent(),
  });
  call.on('error', () => {}); // it is cut
  return call;
}

describe('a body that is sent piece by piece', () => {
  it('is answered as it comes, and what was answered is stored though the rest never comes', async () => {
    const ids = Array.from({ length: 250 }, newId);
    const call = await open();
    const answered = new Promise<string>((resolve) => {
      call.on('response', (response) => response.once('data', (bytes: Buffer) => resolve(bytes.toString())));
    });
    call.write(`${ids.map((caseId) => JSON.stringify({ caseId })).join('\n')}\n{"caseId":"K-half`);
    const answers = answersIn(await answered);
    call.destroy();
    expect(answers.map(({ caseId }) => caseId)).toEqual(ids.slice(0, 200));
    expect(await stack.sql('SELECT FROM cases WHERE case_id = ANY ($1)', [ids.slice(0, 200)])).toHaveLength(200);
    expect(await stack.sql(`SELECT FROM cases WHERE case_id LIKE 'K-half%'`)).toEqual([]);
  });

  it('of long lines is stored after a megabyte, however few they are', async () => {
    const ids = Array.from({ length: 12 }, newId);
    const restrictedTo = Array.from({ length: 200 }, (_, n) => `${n}-${'x'.repeat(250)}`).map((id) => id.slice(0, 256));
    const call = await open();
    const answered = new Promise<string>((resolve) => {
      call.on('response', (response) => response.once('data', (bytes: Buffer) => resolve(bytes.toString())));
    });
    const padding = ' '.repeat(100_000);
    call.write(ids.map((caseId) => `${padding}${JSON.stringify({ caseId, restrictedTo })}\n`).join(''));
    expect(answersIn(await answered).map(({ caseId }) => caseId)).toEqual(ids.slice(0, 7));
    call.destroy();
  });

  it('is asked for when the caller waits for that, as curl does', async () => {
    const caseId = newId();
    const call = await open({ expect: '100-continue' });
    const answered = new Promise<string>((resolve) => call.on('response', (response) => resolve(text(response))));
    call.on('continue', () => call.end(JSON.stringify({ caseId })));
    call.flushHeaders();
    expect(statusesOf(answersIn(await answered))).toEqual(['stored']);
  });

  it('has a line longer than any memory refused, and the next ones stored', async () => {
    const [caseId, piece] = [newId(), Buffer.alloc(1_048_576, '[')];
    const call = await open();
    const answered = new Promise<string>((resolve) => call.on('response', (response) => resolve(text(response))));
    for (let sent = 0; sent < 64; sent++) {
      if (!call.write(piece)) await new Promise((resolve) => call.once('drain', resolve));
    }
    call.end(`\n${'['.repeat(200_000)}\n${'[{"a":'.repeat(40_000)}\n${JSON.stringify({ caseId, team: 'team-1' })}`);
    const answers = answersIn(await answered);
    expect(statusesOf(answers)).toEqual(['invalid', 'invalid', 'invalid', 'stored']);
    expect(answers.map(({ problem }) => problem?.code)).toEqual([...Array(3).fill('bad-request'), undefined]);
  });

  it('is refused when it is compressed, and without any line has no answer', async () => {
    const headers = { authorization: `Bearer ${await stack.token(SYSTEM)}`, 'content-type': TYPE };
    const post = (body: string | Uint8Array<ArrayBuffer>, more: object = {}) =>
      fetch(`${stack.url}/api/v1/cases`, { method: 'POST', headers: { ...headers, ...more }, body });
    const compressed = new Uint8Array(gzipSync('{"caseId":"K-gzip"}\n'));
    await expectProblem(await post(compressed, { 'content-encoding': 'gzip' }), 415, 'unsupported-media-type');
    expect(await caseOf('K-gzip')).toBeUndefined();
    const blank = await post('\n \r\n');
    expect([blank.status, await blank.text()]).toEqual([200, '']);
  });

  it('may be cut anywhere: within a character, and before the end of the last line', async () => {
    const caseId = `K-æøå-${randomUUID()}`;
    const call = await open();
    const answered = new Promise<string>((resolve) => call.on('response', (response) => resolve(text(response))));
    for (const byte of Buffer.from(JSON.stringify({ caseId, caseworker: 'søren' }))) call.write(Buffer.of(byte));
    call.end();
    expect(answersIn(await answered)).toEqual([{ line: 1, caseId, status: 'stored', problem: null }]);
  });
});

describe('the suggestions of a batch', () => {
  const runs = async (id: string) => {
    const [row] = await stack.sql<{ run: number }>('SELECT suggestion_run AS run FROM messages WHERE id = $1', [id]);
    return row?.run as number;
  };

  it('are requested once for what is new or has other parties, and not for what is as it was', async () => {
    const [known, unknown, letter] = [newId(), newId(), randomUUID()];
    await registerSentMessage(stack, letter, { caseId: known });
    const answering = await deliverReply(stack, [{ messageUUID: randomUUID(), replyUUID: letter }]);
    const naming = await deliverReply(stack, [
      { messageUUID: randomUUID(), caseID: unknown, senderID: ODENSKOV } as never,
    ]);
    expect((await read(stack, naming)).suggestion).toBeNull();
    const lines = [{ caseId: known, parties: [PARTY] }, { caseId: unknown }];
    const before = [await runs(answering), await runs(naming)];
    await send(lines);
    for (const id of [answering, naming]) await awaitSuggestion(stack, id);
    expect((await read(stack, answering)).suggestion).toMatchObject({ caseId: known, sender: 'party-to-the-case' });
    expect((await read(stack, naming)).suggestion).toMatchObject({ caseId: unknown });
    const after = [await runs(answering), await runs(naming)];
    expect(after).toEqual(before.map((run) => run + 1));
    await send(lines.map((line) => ({ ...line, caseworker: 'anna' })));
    expect([await runs(answering), await runs(naming)]).toEqual(after);
  });

  it('are requested by the sweep, when the process ended before it did', async () => {
    const [caseId, letter] = [newId(), randomUUID()];
    await registerSentMessage(stack, letter, { caseId });
    const id = await deliverReply(stack, [{ messageUUID: randomUUID(), replyUUID: letter }]);
    const before = await runs(id);
    await stack.sql('UPDATE cases SET suggestions_due = gen_random_uuid() WHERE case_id = $1', [caseId]);
    await sweepDueSuggestions(parts);
    expect(await runs(id)).toBeGreaterThan(before);
    expect(await stack.sql('SELECT suggestions_due FROM cases WHERE case_id = $1', [caseId])).toEqual([
      { suggestions_due: null },
    ]);
  });
});
