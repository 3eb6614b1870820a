import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { DELETION } from '../../../infra/src/testkit/inbox-client.js';
import { CONTACT_POINT, startTestStack, type TestStack, VESTERSUND } from '../../../infra/src/testkit/stack.js';
import {
  auditOf,
  deliverMemo,
  expectProblem,
  read,
  registerSentMessage,
  upsertCase,
} from '../../../shared/test/inbox/support.js';

let stack: TestStack;

beforeAll(async () => {
  stack = await startTestStack();
  for (const caseId of ['K-1', 'K-2', 'K-3']) await upsertCase(stack, caseId);
});

afterAll(() => stack.close());

const journalize = (id: string, version: number, body: object = { caseIds: ['K-1'] }) =>
  stack.call('POST', `/incoming-documents/${id}/journalization`, { version, body });

const takeBack = (id: string, version: number, body: object = { reason: 'wrong-case' }) =>
  stack.call('DELETE', `/incoming-documents/${id}/journalization`, { version, body });

describe('journalizing', () => {
  it('puts the message on its cases, with the core’s reference, and answers with the new version', async () => {
    const id = await deliverMemo(stack);
    const response = await journalize(id, 1, { caseIds: ['K-1', 'K-2', 'K-1'], reference: 'JP-77' });
    expect(response.status).toBe(200);
    expect(response.headers.get('etag')).toBe('"2"');
    expect(await response.json()).toEqual({ id, status: 'journalized', version: 2 });
    const message = await read(stack, id);
    expect(message).toMatchObject({ status: 'journalized', version: 2 });
    const common = { reference: 'JP-77', fileIds: [], by: 'caseworker-1', at: expect.any(String) };
    expect(message.journalizations.toSorted((a, b) => a.caseId.localeCompare(b.caseId))).toEqual([
      { caseId: 'K-1', ...common },
      { caseId: 'K-2', ...common },
    ]);
  });

  it('can be taken back with a reason, and done again', async () => {
    const id = await deliverMemo(stack);
    await journalize(id, 1);
    const response = await takeBack(id, 2);
    expect(await response.json()).toEqual({ id, status: 'pending', version: 3 });
    expect((await read(stack, id)).journalizations).toEqual([]);
    expect((await journalize(id, 3, { caseIds: ['K-1'] })).status).toBe(200);
  });

  it('is recorded change by change with the actor, and codes and ids only', async () => {
    const id = await deliverMemo(stack);
    await journalize(id, 1, { caseIds: ['K-1', 'K-2'] });
    await takeBack(id, 2);
    const rows = await auditOf(stack, { messageId: id });
    expect(rows).toEqual(
      [
        { action: 'accepted', actor: 'serviceplatformen', actor_kind: 'system', details: expect.anything() },
        { action: 'journalized', actor: 'caseworker-1', actor_kind: 'user', details: { caseIds: 'K-1 K-2' } },
        { action: 'taken-back', actor: 'caseworker-1', actor_kind: 'user', details: { reason: 'wrong-case' } },
      ].map((row) => ({ ...row, result: 'done' })),
    );
    const history = (await read(stack, id)).history.map(({ action, by }) => `${action} by ${by}`);
    expect(history).toEqual([
      'accepted by serviceplatformen',
      'journalized by caseworker-1',
      'taken-back by caseworker-1',
    ]);
    const events = await stack.sql(
      'SELECT type, status, version, details FROM events WHERE message_id = $1 ORDER BY version',
      [id],
    );
    expect(events).toEqual([
      { type: 'accepted', status: 'pending', version: 1, details: expect.anything() },
      { type: 'journalized', status: 'journalized', version: 2, details: { caseIds: 'K-1 K-2' } },
      { type: 'taken-back', status: 'pending', version: 3, details: { reason: 'wrong-case' } },
    ]);
  });

  it('at the same time succeeds once', async () => {
    const id = await deliverMemo(stack);
    const answers = await Promise.all(['K-1', 'K-2', 'K-3'].map((caseId) => journalize(id, 1, { caseIds: [caseId] })));
    const statuses = answers.map(({ status }) => status).toSorted();
    expect(statuses).toEqual([200, 412, 412]);
    const message = await read(stack, id);
    expect(message.version).toBe(2);
    expect(message.journalizations).toHaveLength(1);
  });

  it('a refused change leaves no trace', async () => {
    const id = await deliverMemo(stack);
    const before = await read(stack, id);
    await expectProblem(await journalize(id, 2), 412, 'version-changed');
    expect({ ...(await read(stack, id)) }).toEqual(before);
  });
});

describe('a case that the core has not registered', () => {
  it('is refused by its place in the list, and nothing changes', async () => {
    const id = await deliverMemo(stack);
    const before = await read(stack, id);
    const body = { caseIds: ['K-1', 'K-4101019999', 'K-never'] };
    const problem = await expectProblem(await journalize(id, 1, body), 409, 'unknown-case');
    expect(problem.path).toBe('body.caseIds.1');
    expect(problem.detail).toBe(
      'The core has not registered the case at body.caseIds.1 (and 1 more). Register it with PUT /api/v1/cases/{caseId} first.',
    );
    expect(await read(stack, id)).toEqual(before);
  });

  it('of another municipality is refused', async () => {
    await upsertCase(stack, 'K-theirs', {}, VESTERSUND);
    const id = await deliverMemo(stack);
    await expectProblem(await journalize(id, 1, { caseIds: ['K-theirs'] }), 409, 'unknown-case');
  });

  it('is registered when a sent message names it', async () => {
    await registerSentMessage(stack, randomUUID(), { caseId: 'K-named' });
    expect((await journalize(await deliverMemo(stack), 1, { caseIds: ['K-named'] })).status).toBe(200);
  });

  it('is accepted where the settings allow it', async () => {
    const lenient = await startTestStack({ JOURNALIZE_UNKNOWN_CASES: 'allow' });
    const id = await deliverMemo(lenient);
    const path = `/incoming-documents/${id}/journalization`;
    const response = await lenient.call('POST', path, { version: 1, body: { caseIds: ['K-never'] } });
    expect(response.status).toBe(200);
    await lenient.close();
  });
});

describe('a case that is closed or moved', () => {
  const statusOf = async (caseId: string) => {
    const [row] = await stack.sql<{ status: string }>('SELECT status FROM cases WHERE case_id = $1', [caseId]);
    return row?.status;
  };

  it.each(['closed', 'moved'])(
    'is refused by its place in the list when it is %s, and nothing changes',
    async (status) => {
      await upsertCase(stack, 'K-shut', { status });
      const id = await deliverMemo(stack);
      const before = await read(stack, id);
      const body = { caseIds: ['K-1', 'K-shut'] };
      for (const casesAreOpen of [undefined, false]) {
        const problem = await expectProblem(await journalize(id, 1, { ...body, casesAreOpen }), 409, 'case-not-open');
        expect(problem.path).toBe('body.caseIds.1');
        expect(problem.detail).toBe(
          'The core has closed or moved the case at body.caseIds.1. Name another, or send casesAreOpen: true when the core has opened it.',
        );
      }
      expect(await read(stack, id)).toEqual(before);
      expect(await statusOf('K-shut')).toBe(status);
    },
  );

  it('is registered as open, and taken, when the core says that it is', async () => {
    await upsertCase(stack, 'K-opened', { status: 'closed', caseworker: 'anna' });
    const id = await deliverMemo(stack);
    const body = { caseIds: ['K-opened', 'K-1'], casesAreOpen: true };
    expect((await journalize(id, 1, body)).status).toBe(200);
    expect(await statusOf('K-opened')).toBe('open');
    expect((await auditOf(stack, { messageId: id })).at(-1)?.details).toEqual({
      caseIds: 'K-1 K-opened',
      casesAreOpen: true,
    });
    expect((await journalize(await deliverMemo(stack), 1, { caseIds: ['K-opened'] })).status).toBe(200);
  });

  it('stays closed when the journalization is refused', async () => {
    await upsertCase(stack, 'K-stays', { status: 'closed' });
    const id = await deliverMemo(stack);
    const body = { caseIds: ['K-stays', 'K-never'], casesAreOpen: true };
    await expectProblem(await journalize(id, 1, body), 409, 'unknown-case');
    await expectProblem(await journalize(id, 2, body), 412, 'version-changed');
    expect(await statusOf('K-stays')).toBe('closed');
  });
});

describe('of a document with several files', () => {
  const text = (name: string) => ({ name, type: 'text/plain', content: Buffer.from(name) });
  const documents = [
    { label: 'Brev', files: [text('brev.txt'), text('brev.pdf')] },
    { label: 'Bilag', files: [text('bilag.txt'), text('bilag.pdf')] },
  ];
  const arrange = async () => {
    const id = await deliverMemo(stack, { documents });
    const files = (await read(stack, id)).documents.map((document) => document.files.map((file) => file.id));
    return { id, files: files as [[string, string], [string, string]] };
  };

  it('one may be named as the journalized variant; all are kept', async () => {
    const { id, files } = await arrange();
    const fileIds = [files[1][0], files[0][1].toUpperCase(), files[1][0]];
    expect((await journalize(id, 1, { caseIds: ['K-1'], fileIds })).status).toBe(200);
    const message = await read(stack, id);
    const named = [files[0][1], files[1][0]].toSorted();
    expect(message.journalizations).toMatchObject([{ caseId: 'K-1', fileIds: named }]);
    expect(message.documents.map((document) => document.files.length)).toEqual([2, 2]);
    expect(message.history.at(-1)?.details).toEqual({ caseIds: 'K-1', fileIds: named.join(' ') });
  });

  it.each(['two of one document', 'one of another message', 'one that is nowhere', 'one that is no id'])(
    'naming %s is refused by its place, and nothing changes',
    async (what) => {
      const [{ id, files }, other] = [await arrange(), await arrange()];
      const second = {
        'two of one document': files[0][1],
        'one of another message': other.files[0][0],
        'one that is nowhere': randomUUID(),
        'one that is no id': 'brev.pdf',
      }[what];
      const before = await read(stack, id);
      const body = { caseIds: ['K-1'], fileIds: [files[0][0], second] };
      const problem = await expectProblem(await journalize(id, 1, body), 400, 'bad-request');
      expect(problem.path).toBe('body.fileIds.1');
      expect(await read(stack, id)).toEqual(before);
    },
  );
});

it('a message is handled when it is journalized or rejected, until it is pending again', async () => {
  const handledAt = async (id: string) => {
    const [row] = await stack.sql<{ is: boolean | null }>(
      'SELECT handled_at = status_at AS is FROM messages WHERE id = $1',
      [id],
    );
    return row?.is ?? null;
  };
  const id = await deliverMemo(stack);
  const rejection = (method: string, version: number, body?: object) =>
    stack.call(method, `/incoming-documents/${id}/rejection`, { version, ...(body && { body }) });
  expect(await handledAt(id)).toBeNull();
  await journalize(id, 1);
  expect(await handledAt(id)).toBe(true);
  await takeBack(id, 2);
  expect(await handledAt(id)).toBeNull();
  await rejection('POST', 3, { reason: 'unwanted', explanation: 'Ikke til os' });
  expect(await handledAt(id)).toBe(true);
  await rejection('DELETE', 4);
  expect(await handledAt(id)).toBeNull();
  await rejection('POST', 5, { reason: 'unwanted', explanation: 'Ikke til os' });
  const ofHandled = 'SELECT handled_at FROM messages WHERE id = $1';
  const handled = await stack.sql(ofHandled, [id]);
  expect((await stack.call('POST', `/incoming-documents/${id}/deletion`, { version: 6, body: DELETION })).status).toBe(
    200,
  );
  expect(await stack.sql(ofHandled, [id])).toEqual(handled);
});

describe('a journalization can be taken back without a body', () => {
  const takeBackWith = async (query: string, body?: object) => {
    const id = await deliverMemo(stack);
    await journalize(id, 1);
    const path = `/incoming-documents/${id}/journalization${query}`;
    return { id, response: await stack.call('DELETE', path, { version: 2, ...(body && { body }) }) };
  };

  it('with the reason in the query', async () => {
    const { id, response } = await takeBackWith('?reason=wrong-person');
    expect(await response.json()).toEqual({ id, status: 'pending', version: 3 });
    expect((await auditOf(stack, { messageId: id })).at(-1)?.details).toEqual({ reason: 'wrong-person' });
  });

  it.each<[string, string, object | undefined, string]>([
    ['no reason', '', undefined, 'query.reason'],
    ['another reason', '?reason=because', undefined, 'query.reason'],
    ['an unknown parameter', '?reason=other&note=x', undefined, 'query.note'],
    ['the reason in both', '?reason=other', { reason: 'other' }, 'query'],
    ['a body without a reason', '', {}, 'body.reason'],
  ])('but not with %s', async (_name, query, body, path) => {
    const { response } = await takeBackWith(query, body);
    expect((await expectProblem(response, 400, 'bad-request')).path).toBe(path);
  });
});

describe('a change of a message', () => {
  it('without If-Match is refused', async () => {
    const id = await deliverMemo(stack);
    const path = `/incoming-documents/${id}/journalization`;
    const response = await stack.call('POST', path, { body: { caseIds: ['K-1'] } });
    await expectProblem(response, 428, 'version-needed');
  });

  it.each(['*', '', '"x"', '"1", "2"', '-1', '1e3', '01', '"1', '1"', '"1-x"', '"0"', `"${'9'.repeat(30)}"`])(
    'with an If-Match that is not a version is refused: %s',
    async (header) => {
      const id = await deliverMemo(stack);
      const response = await stack.call('POST', `/incoming-documents/${id}/journalization`, {
        body: { caseIds: ['K-1'] },
        headers: { 'if-match': header },
      });
      await expectProblem(response, 400, 'bad-request');
    },
  );

  it.each(['1', '"1"', 'W/"1"', '"1-gzip"', 'W/"1--gzip"', '"1-br"'])(
    'accepts the version as clients and compressing proxies send it: %s',
    async (header) => {
      const path = `/incoming-documents/${await deliverMemo(stack)}/journalization`;
      const response = await stack.call('POST', path, { body: { caseIds: ['K-1'] }, headers: { 'if-match': header } });
      expect(response.status).toBe(200);
    },
  );

  it.each(['if-none-match', 'if-unmodified-since', 'content-range'])(
    'with a condition that it does not know, or as a part, is refused: %s',
    async (name) => {
      const id = await deliverMemo(stack);
      const path = `/incoming-documents/${id}/journalization`;
      const response = await stack.call('POST', path, {
        version: 1,
        body: { caseIds: ['K-1'] },
        headers: { [name]: '"1"' },
      });
      expect((await expectProblem(response, 400, 'bad-request')).path).toBe(`header.${name}`);
    },
  );

  it('with an older version is refused, and the answer has the current one', async () => {
    const id = await deliverMemo(stack);
    await journalize(id, 1);
    const problem = await expectProblem(await takeBack(id, 1), 412, 'version-changed');
    expect(problem.detail).toContain('version 2');
  });

  it('that its status does not allow is refused, and the answer says what the caller may do', async () => {
    const id = await deliverMemo(stack);
    await expectProblem(await takeBack(id, 1), 409, 'wrong-status');
    await journalize(id, 1);
    const refused = async (roles: readonly string[]) => {
      const as = { roles: ['IndkomneDokumenter.Læs', 'IndkomneDokumenter.SeAlle', ...roles] };
      const path = `/incoming-documents/${id}/rejection`;
      const response = await stack.call('POST', path, {
        as,
        version: 2,
        body: { reason: 'unwanted', explanation: 'Ikke til os' },
      });
      return (await expectProblem(response, 409, 'wrong-status')).detail;
    };
    expect(await refused(['IndkomneDokumenter.Afvis'])).toBe(
      'The message is journalized; the caller may make these changes now: legal-hold-set.',
    );
    expect(await refused(['IndkomneDokumenter.Afvis', 'IndkomneDokumenter.Journaliser'])).toBe(
      `The message is journalized; the caller may make these changes now: ${(await read(stack, id)).allowed.join(', ')}.`,
    );
    expect((await read(stack, id)).allowed).toContain('taken-back');
  });

  it('with the id in upper case is answered with the id as it is', async () => {
    const id = await deliverMemo(stack);
    expect(await (await journalize(id.toUpperCase(), 1)).json()).toEqual({ id, status: 'journalized', version: 2 });
  });

  it('of an unknown message is refused', async () => {
    await expectProblem(await journalize(randomUUID(), 1), 404, 'not-found');
  });

  it.each([
    ['no cases', {}],
    ['an empty list of cases', { caseIds: [] }],
    ['a case without a name', { caseIds: ['  '] }],
    ['a case with the character NUL', { caseIds: ['K\0'] }],
    ['a case that is not text', { caseIds: [1] }],
    ['51 cases', { caseIds: Array.from({ length: 51 }, (_, n) => `K-${n}`) }],
    ['an empty reference', { caseIds: ['K-1'], reference: '' }],
    ['a reference of white space', { caseIds: ['K-1'], reference: ' \u00a0\t' }],
    ['a reference that is null', { caseIds: ['K-1'], reference: null }],
    ['a misspelt field', { caseIds: ['K-1'], referense: 'JP-1' }],
    ['a list for a body', [] as object],
  ])('with %s is refused', async (_name, body) => {
    const id = await deliverMemo(stack);
    const problem = await expectProblem(await journalize(id, 1, body), 400, 'bad-request');
    expect(problem.path).toMatch(/^body/);
  });
});

describe('reading one', () => {
  it('gives documents, files, contact info, whom it concerns, remarks and history', async () => {
    const content = Buffer.from('Min datter begynder i 4. klasse.');
    const id = await deliverMemo(stack, {
      messageUUID: '7A6D3DD9-77F6-4F6B-9B1C-2DD4D3F8B0A1',
      subject: 'Skoleskift',
      contactPointId: CONTACT_POINT,
      contactInfo: [
        { label: 'Barnets CPR-nummer', value: '4303039999' },
        { label: 'Skole', value: 'Søndre Skole & SFO' },
      ],
      concerning: { cpr: '4303039999', name: 'Barn Testesen' },
      documents: [
        { label: 'Brev', files: [{ name: 'brev.txt', type: 'text/plain', content }] },
        {
          label: 'Bilag',
          files: [
            { name: 'bilag.pdf', type: 'application/pdf', content: Buffer.from('%PDF') },
            { name: 'bilag.txt', type: 'text/plain', content: Buffer.alloc(0) },
          ],
        },
      ],
    });
    const response = await stack.call('GET', `/incoming-documents/${id}`);
    expect(response.headers.get('etag')).toBe('"1"');
    expect(response.headers.get('cache-control')).toBe('no-store');
    expect(await read(stack, id)).toMatchObject({
      externalId: '7a6d3dd9-77f6-4f6b-9b1c-2dd4d3f8b0a1',
      subject: 'Skoleskift',
      concerning: { id: '4303039999', name: 'Barn Testesen' },
      contactPoint: { id: CONTACT_POINT, name: 'Børn og familie' },
      contactInfo: [
        { label: 'Barnets CPR-nummer', value: '4303039999' },
        { label: 'Skole', value: 'Søndre Skole & SFO' },
      ],
      documentCount: 2,
      fileCount: 3,
      contentSize: content.length + 4,
      documents: [
        {
          role: 'main',
          label: 'Brev',
          files: [{ fileName: 'brev.txt', encodingFormat: 'text/plain', language: 'da', size: content.length }],
        },
        { role: 'additional', label: 'Bilag', files: [{ fileName: 'bilag.pdf' }, { fileName: 'bilag.txt', size: 0 }] },
      ],
      journalizations: [],
      rejection: null,
      history: [{ action: 'accepted', by: 'serviceplatformen' }],
    });
  });

  it('shows the remarks, by code and path', async () => {
    const id = await deliverMemo(stack, { createdDateTime: '1999-12-31T12:00:00Z' });
    const { remarks } = await read(stack, id);
    expect(remarks).toContainEqual({ code: 'dated-before-2000', path: 'Message/MessageBody/createdDateTime' });
  });

  it('is recorded in the audit log, but not in the history', async () => {
    const id = await deliverMemo(stack);
    const { history } = await read(stack, id);
    expect((await auditOf(stack, { messageId: id })).map(({ action }) => action)).toEqual(['accepted', 'read']);
    expect((await read(stack, id)).history).toEqual(history);
  });

  it('accepts an id in upper case', async () => {
    const id = await deliverMemo(stack);
    expect((await read(stack, id.toUpperCase())).id).toBe(id);
  });

  it('shows the second message of one id as a conflict', async () => {
    const messageUUID = randomUUID();
    const first = await deliverMemo(stack, { messageUUID, subject: 'Først' });
    const second = await deliverMemo(stack, { messageUUID, subject: 'Siden' });
    const asDrift = { user: 'drift', roles: ['Indbakke.Drift'] };
    expect(await read(stack, first)).toMatchObject({ status: 'pending', heldCause: null });
    expect(await read(stack, second, asDrift)).toMatchObject({ status: 'held', heldCause: 'conflict' });
  });
});

describe('what the core registers', () => {
  const as = { user: 'dubu-core', system: true };

  it.each([
    ['a sent message without a case', 'PUT', `/sent-messages/${randomUUID()}`, {}],
    [
      'a sent message to something other than a number',
      'PUT',
      `/sent-messages/${randomUUID()}`,
      { caseId: 'K-1', recipientId: 'Jens' },
    ],
    ['a case in an unknown status', 'PUT', '/cases/K-1', { status: 'paused' }],
    ['a case with a party that is not a number', 'PUT', '/cases/K-1', { parties: ['410101-9999 A'] }],
    ['a case whose status is null', 'PUT', '/cases/K-1', { status: null }],
    ['a case with a status in another case', 'PUT', '/cases/K-1', { status: 'Open' }],
    ['a case with parties that are numbers', 'PUT', '/cases/K-1', { parties: [4101019999] }],
    ['a case with one party instead of a list', 'PUT', '/cases/K-1', { parties: '4101019999' }],
    ['a case with a misspelt caseworker', 'PUT', '/cases/K-1', { caseWorker: 'x' }],
    [
      'a sent message with a misspelt recipient',
      'PUT',
      `/sent-messages/${randomUUID()}`,
      { caseId: 'K-1', recipientID: '' },
    ],
    ['a caseworker with NUL in the id', 'PUT', '/cases/K-1', { caseworker: '\0' }],
  ])('%s is refused, and no number is quoted', async (_name, method, path, body) => {
    const problem = await expectProblem(await stack.call(method, path, { as, body }), 400, 'bad-request');
    expect(JSON.stringify(problem)).not.toContain('9999');
  });

  it('is stored without CPR numbers in clear text', async () => {
    const uuid = randomUUID();
    await stack.call('PUT', `/sent-messages/${uuid}`, { as, body: { caseId: 'K-p', recipientId: '4101019999' } });
    await stack.call('PUT', '/cases/K-p', { as, body: { parties: ['4101019999', '4202029999'] } });
    const [row] = await stack.sql<{ text: string }>(
      `SELECT s::text || c::text AS text FROM sent_messages s JOIN cases c USING (municipality, case_id) WHERE message_uuid = $1`,
      [uuid],
    );
    expect(row?.text).not.toMatch(/4101019999|4202029999/);
    expect(row?.text).not.toContain(Buffer.from('4101019999').toString('hex'));
  });

  it('of a case whose number needs encoding in a URL is stored under that number', async () => {
    const caseId = '2026/17 æ ?&#%';
    const path = `/cases/${encodeURIComponent(caseId)}`;
    expect((await stack.call('PUT', path, { as, body: {} })).status).toBe(204);
    expect(await stack.sql('SELECT case_id FROM cases WHERE case_id = $1', [caseId])).toHaveLength(1);
  });

  it.each([
    ['/sent-messages/x', { caseId: 'K-1' }],
    ['/cases/%00', {}],
    ['/cases/%20', {}],
    [`/cases/${'K'.repeat(257)}`, {}],
  ])('refuses a path that cannot be its id: %s', async (path, body) => {
    await expectProblem(await stack.call('PUT', path, { as, body }), 400, 'bad-request');
  });

  const caseOf = async (caseId: string) => {
    const [row] = await stack.sql<{ status: string; caseworker: string; parties: number }>(
      'SELECT status, caseworker, cardinality(party_digests) AS parties FROM cases WHERE case_id = $1',
      [caseId],
    );
    return row;
  };
  const full = { status: 'moved', caseworker: 'caseworker-7', parties: ['4101019999', '4202029999'] };

  it.each<[object, object]>([
    [{}, { status: 'moved', caseworker: 'caseworker-7', parties: 2 }],
    [{ status: 'closed' }, { status: 'closed', caseworker: 'caseworker-7', parties: 2 }],
    [{ caseworker: null }, { status: 'moved', caseworker: null, parties: 2 }],
    [{ caseworker: 'caseworker-8' }, { status: 'moved', caseworker: 'caseworker-8', parties: 2 }],
    [{ parties: ['4101019999'] }, { status: 'moved', caseworker: 'caseworker-7', parties: 1 }],
    [{ parties: [] }, { status: 'moved', caseworker: 'caseworker-7', parties: 0 }],
    [{ parties: null }, { status: 'moved', caseworker: 'caseworker-7', parties: 0 }],
  ])('of a case is only what is sent: %j', async (body, expected) => {
    const caseId = `K-${randomUUID()}`;
    await upsertCase(stack, caseId, full);
    await upsertCase(stack, caseId, body);
    expect(await caseOf(caseId)).toEqual(expected);
  });

  it('of a new case has defaults, also when a sent message has named it', async () => {
    const [caseId, named] = [`K-${randomUUID()}`, `K-${randomUUID()}`];
    await upsertCase(stack, caseId);
    await registerSentMessage(stack, randomUUID(), { caseId: named });
    expect(await caseOf(named)).toEqual({ status: null, caseworker: null, parties: 0 });
    await upsertCase(stack, named);
    for (const each of [caseId, named]) {
      expect(await caseOf(each)).toEqual({ status: 'open', caseworker: null, parties: 0 });
    }
  });

  it('at the same time in different fields is all registered', async () => {
    for (const caseId of Array.from({ length: 10 }, () => `K-${randomUUID()}`)) {
      const bodies = [{ status: 'closed' }, { caseworker: 'caseworker-7' }, { parties: ['4101019999'] }, {}];
      await Promise.all(bodies.map((body) => upsertCase(stack, caseId, body)));
      expect(await caseOf(caseId)).toEqual({ status: 'closed', caseworker: 'caseworker-7', parties: 1 });
    }
  });

  const sentMessageOf = async (uuid: string) => {
    const [row] = await stack.sql<{ case_id: string; message_id: string; has_recipient: boolean }>(
      `SELECT case_id, message_id, recipient_digest IS NOT NULL AS has_recipient FROM sent_messages WHERE message_uuid = $1`,
      [uuid],
    );
    return row;
  };

  it.each<[object, object]>([
    [{}, { case_id: 'K-s', message_id: 'M-1', has_recipient: true }],
    [{ caseId: 'K-t' }, { case_id: 'K-t', message_id: 'M-1', has_recipient: true }],
    [{ messageId: null }, { case_id: 'K-s', message_id: null, has_recipient: true }],
    [
      { caseId: 'K-s', recipientId: null },
      { case_id: 'K-s', message_id: 'M-1', has_recipient: false },
    ],
  ])('of a sent message is only what is sent: %j', async (body, expected) => {
    const uuid = randomUUID();
    await registerSentMessage(stack, uuid, { caseId: 'K-s', messageId: 'M-1', recipientId: '4101019999' });
    await registerSentMessage(stack, uuid, body);
    expect(await sentMessageOf(uuid)).toEqual(expected);
  });

  it('at the same time in different fields of a sent message is all registered', async () => {
    const uuid = randomUUID();
    const bodies = [{ messageId: 'M-2' }, { recipientId: '4101019999' }, {}];
    await Promise.all(bodies.map((body) => registerSentMessage(stack, uuid, { caseId: 'K-s', ...body })));
    expect(await sentMessageOf(uuid)).toEqual({ case_id: 'K-s', message_id: 'M-2', has_recipient: true });
  });

  it.each(['if-match', 'if-none-match', 'content-range'])(
    'is refused with a condition, or as a part, which no registration has: %s',
    async (name) => {
      const response = await stack.call('PUT', '/cases/K-1', { as, body: {}, headers: { [name]: '"1"' } });
      expect((await expectProblem(response, 400, 'bad-request')).path).toBe(`header.${name}`);
    },
  );
});
