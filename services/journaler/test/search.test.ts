import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { DELETION } from '../../../infra/src/testkit/inbox-client.js';
import { ODENSKOV, startTestStack, type TestStack, VESTERSUND } from '../../../infra/src/testkit/stack.js';
import { change, deliverMemo, expectProblem, upsertCase } from '../../../shared/test/inbox/support.js';

let stack: TestStack;
const names = new Map<string, string>();
const ids = new Map<string, string>();

beforeAll(async () => {
  stack = await startTestStack();
  await upsertCase(stack, 'K-1');
  const memos = {
    children: {
      subject: 'Bekymring for børnene i børnehaven',
      sender: { id: '4101019999', idType: 'CPR', name: 'Test Testesen' },
    },
    school: {
      subject: 'Skolens underretning',
      sender: { id: '410101-9998', idType: 'CPR', name: 'Øvelse Åkjær' },
      concerning: { cpr: '410101 9996', name: 'Barn Eksempel' },
    },
    number: { subject: 'Vedr. 410101-9997' },
    company: { subject: 'Faktura', sender: { id: 'DK22222222', idType: 'CVR', name: 'Eksempel A/S' } },
    theirs: { subject: 'Bekymring for børnene', recipient: { id: VESTERSUND } },
  };
  for (const [name, memo] of Object.entries(memos)) {
    const id = await deliverMemo(stack, memo);
    names.set(id, name);
    ids.set(name, id);
  }
});

afterAll(() => stack.close());

async function search(body: object, municipality = ODENSKOV): Promise<(string | undefined)[]> {
  const response = await stack.call('POST', '/incoming-documents/search', { body, as: { municipality } });
  expect(response.status, await response.clone().text()).toBe(200);
  const { items } = (await response.json()) as { items: { id: string }[] };
  return items.map(({ id }) => names.get(id));
}

const WORDS: [string, string[]][] = [
  ['børnene', ['children']],
  ['BØRN', ['children']],
  ['børneh', ['children']],
  ['bo\u0308rnehave', []],
  ['underretninger', ['school']],
  ['skole', ['school']],
  ['test', ['children', 'number']],
  ['testes bekymring', ['children']],
  ['åkjær', ['school']],
  ['aakj', ['school']],
  ['A\u030Akjær', ['school']],
  ['øvelse', ['school']],
  ['børn faktura', []],
  ['4101019997', ['number']],
  ['410101-9997', ['number']],
  ['410101 9997', ['number']],
  ['410101999', []],
  ['22222222', ['company']],
  ['dk 22 22 22 22', ['company']],
  ['faktura 22222222', ['company']],
  ['A/S', ['company']],
  ['nothing', []],
  [`'!&|():*<->\\`, []],
  ['børn:* | faktura', []],
  ['?'.repeat(200), []],
  ["'; DROP TABLE messages; --", []],
  ['22222222/pending/', []],
];

describe('a search', () => {
  it.each(WORDS)('for %s finds %j', async (q, expected) => {
    expect(await search({ q })).toEqual(expected);
  });

  it('finds the same among what another filter or the rights of the caller leave', async () => {
    const own = { user: 'caseworker-8', roles: ['IndkomneDokumenter.Læs'] };
    await stack.sql(`UPDATE messages SET assignee_kind = 'user', assignee_id = 'caseworker-8'`);
    for (const [q, expected] of WORDS) {
      for (const body of [
        { q, sort: '-letterAt' },
        { q, view: 'assigned' },
      ]) {
        const response = await stack.call('POST', '/incoming-documents/search', { body, as: own });
        const { items } = (await response.json()) as { items: { id: string }[] };
        expect({ q, found: items.map(({ id }) => names.get(id)).toSorted() }).toEqual({
          q,
          found: expected.toSorted(),
        });
      }
    }
    await stack.sql(`UPDATE messages SET assignee_kind = NULL, assignee_id = NULL`);
  });

  it('finds nothing of another municipality', async () => {
    expect(await search({ q: 'bekymring' })).toEqual(['children']);
    expect(await search({ q: 'bekymring' }, VESTERSUND)).toEqual(['theirs']);
  });

  it('is limited by every other filter', async () => {
    expect(await search({ q: 'test', kind: 'reply' })).toEqual([]);
    expect(await search({ q: 'test', status: ['journalized'] })).toEqual([]);
    expect(await search({ q: 'test', sort: '-letterAt', limit: 1 })).toHaveLength(1);
  });

  it.each<[object, string[]]>([
    [{ sender: '410101-9999' }, ['children', 'number']],
    [{ sender: '4101019998' }, ['school']],
    [{ sender: '410101–9998' }, ['school']], // a dash
    [{ sender: '410101 9998', kind: 'enquiry' }, ['school']],
    [{ sender: '410101 9998', kind: 'reply' }, []],
    [{ sender: 'DK-22 22 22 22' }, ['company']],
    [{ sender: '4101019998', concerning: '4101019996' }, ['school']],
    [{ sender: '4101019998', concerning: '4101019998' }, []],
    [{ concerning: '4101019996', sort: '-letterAt' }, ['school']],
    [{ concerning: '4101019999' }, []],
    [{ concerning: '4101019996', status: ['journalized', 'rejected'] }, []],
    [{ sender: '22222222', sort: 'replyBy' }, ['company']],
  ])('by %j finds %j, whatever the spelling', async (body, expected) => {
    expect(await search(body)).toEqual(expected);
  });

  it('finds what is assigned to absent colleagues, or is for their cases', async () => {
    const assign = `UPDATE messages SET assignee_kind = $2, assignee_id = $3 WHERE id = $1`;
    await stack.sql(assign, [ids.get('children'), 'user', 'colleague-1']);
    await stack.sql(assign, [ids.get('school'), 'user', 'colleague-2']);
    await stack.sql(assign, [ids.get('number'), 'team', 'colleague-1']); // a team of that name
    await upsertCase(stack, 'K-absent', { caseworker: 'colleague-1' });
    await stack.sql(
      `UPDATE messages SET suggested_case_id = 'K-absent', suggestion_basis = 'case-id', suggestion_sender = 'other' WHERE id = $1`,
      [ids.get('company')],
    );
    const absent = (...colleagues: string[]) => search({ view: 'absent', colleagues });
    expect(await absent('colleague-1')).toEqual(['children', 'company']);
    expect(await absent('colleague-2', 'colleague-1')).toEqual(['children', 'school', 'company']);
    expect(await absent('colleague-3')).toEqual([]);
    expect(await search({ view: 'absent', colleagues: ['colleague-1'], sender: '22222222' })).toEqual(['company']);
    await stack.sql(assign, [ids.get('company'), 'user', 'colleague-1']); // in two ways, and once
    expect(await absent('colleague-1')).toEqual(['children', 'company']);
    await stack.sql(
      `UPDATE messages SET assignee_kind = NULL, assignee_id = NULL, suggested_case_id = NULL, suggestion_basis = NULL, suggestion_sender = NULL`,
    );
  });

  it('follows a message from status to status, until it is deleted', async () => {
    const id = ids.get('company') as string;
    await change(stack, 'POST', `${id}/rejection`, {
      version: 1,
      body: { reason: 'unwanted', explanation: 'Ikke til os' },
    });
    expect(await search({ q: 'faktura' })).toEqual([]);
    expect(await search({ q: 'faktura', status: ['pending', 'rejected'] })).toEqual(['company']);
    expect(await search({ sender: '22222222' })).toEqual([]);
    expect(await search({ sender: '22222222', status: ['pending', 'rejected'] })).toEqual(['company']);
    await change(stack, 'POST', `${id}/deletion`, { version: 2, body: DELETION });
    expect(await search({ q: 'faktura', status: ['pending', 'rejected'] })).toEqual([]);
    expect(await search({ sender: '22222222', status: ['rejected'] })).toEqual([]);
    for (const table of ['message_words', 'message_parties']) {
      expect(await stack.sql(`SELECT FROM ${table} WHERE message_id = $1`, [id])).toEqual([]);
    }
  });

  it.each([
    [ODENSKOV, 'journalized'],
    [VESTERSUND, 'pending'],
  ])('gives the first page where words are common, and all pages each message once (%s, %s)', async (cvr, status) => {
    await stack.sql(
      `INSERT INTO messages (id, municipality, channel, external_id, fingerprint, kind, received_at, letter_at, transmission_id,
         document_count, file_count, content_size, remarks, status, status_at, status_by, next_enqueue_at)
       SELECT gen_random_uuid(), $1, 'sf1606', 'many-' || n, 'x', 'enquiry', now() - n * interval '1 hour', now(), gen_random_uuid(),
         0, 0, 0, '[]', $2, now(), 'test', now() FROM generate_series(1, 6000) n`,
      [cvr, status],
    );
    await stack.sql(
      `INSERT INTO message_words SELECT id, municipality, status, received_at, words_of('almindelig', '{}', '{}')
       FROM messages WHERE external_id LIKE 'many-%' AND municipality = $1`,
      [cvr],
    );
    const pagesOf = (body: object) => pagesOfSearch({ ...body, q: 'almindelig', status: [status] }, cvr);
    await stack.sql(`UPDATE messages SET has_media = true WHERE external_id ~ '(00|25|50|75)$'`);
    for (const sort of ['-receivedAt', 'receivedAt']) {
      const inOrder = (seen: string[]) => (sort === 'receivedAt' ? seen.toSorted() : seen.toSorted().reverse());
      const all = await pagesOf({ sort, limit: 200 });
      expect(new Set(all.flat()).size).toBe(6000);
      expect(all.flat()).toEqual(inOrder(all.flat()));
      expect(all).toHaveLength(30);
      // Few of those found: a page ends before it is full, and the next goes on.
      const few = await pagesOf({ sort, hasMedia: true, limit: 200 });
      expect(few.flat()).toEqual(inOrder(few.flat()));
      expect(new Set(few.flat()).size).toBe(240);
      expect(few.length).toBeGreaterThan(1);
      // What was found first does not fill the page, and what is found then does.
      const full = await pagesOf({ sort, hasMedia: true, limit: 20 });
      expect(full.map(({ length }) => length)).toEqual(Array(12).fill(20));
      expect(full.flat()).toEqual(few.flat());
    }
  });

  /** Receipt and id of what is on each page of a search. */
  async function pagesOfSearch(body: object, municipality: string): Promise<string[][]> {
    const pages: string[][] = [];
    let cursor: string | null = null;
    do {
      const page = { ...body, ...(cursor !== null && { cursor }) };
      const response = await stack.call('POST', '/incoming-documents/search', { body: page, as: { municipality } });
      const answer = (await response.json()) as {
        items: { id: string; receivedAt: string }[];
        nextCursor: string | null;
      };
      pages.push(answer.items.map(({ receivedAt, id }) => `${receivedAt} ${id}`));
      cursor = answer.nextCursor;
    } while (cursor !== null);
    return pages;
  }

  it.each<[object, string]>([
    [{ view: 'absent' }, 'body.view'],
    [{ colleagues: ['caseworker-2'] }, 'body.colleagues'],
    [{ view: 'unhandled' }, 'body.olderThan'],
    [{ sender: '41' }, 'body.sender'],
    [{ q: '' }, 'body.q'],
    [{ q: 'a\u0000b' }, 'body.q'],
    [{ subject: 'x' }, 'body.subject'],
    [{ status: [] }, 'body.status'],
  ])('refuses %j', async (body, path) => {
    const response = await stack.call('POST', '/incoming-documents/search', { body });
    expect((await expectProblem(response, 400, 'bad-request')).path).toBe(path);
  });
});

describe('all ids of a filter', () => {
  it('are paged with their versions', async () => {
    const body = { status: ['journalized'], limit: 4000 };
    const first = (await (await stack.call('POST', '/incoming-documents/ids', { body })).json()) as Ids;
    const rest = { ...body, cursor: first.nextCursor };
    const second = (await (await stack.call('POST', '/incoming-documents/ids', { body: rest })).json()) as Ids;
    expect([first.items.length, second.items.length, second.nextCursor]).toEqual([4000, 2000, null]);
    expect(new Set([...first.items, ...second.items].map(({ id }) => id)).size).toBe(6000);
    expect(first.items[0]).toMatchObject({ version: 1, assignee: null });
  });
});

interface Ids {
  readonly items: { readonly id: string; readonly version: number }[];
  readonly nextCursor: string | null;
}

describe('a summary', () => {
  it('counts what the caller sees, in each group', async () => {
    const assignment = { assignee: { kind: 'team', id: 'team-1' } };
    const id = ids.get('school') as string;
    await stack.call('PUT', `/incoming-documents/${id}/assignment`, { version: 1, body: assignment });
    const response = await stack.call('GET', '/incoming-documents/summary');
    expect(await response.json()).toMatchObject({
      total: 3,
      isMore: false,
      status: [{ status: 'pending', count: 3 }],
      kind: [{ kind: 'enquiry', count: 3 }],
      contactPoint: [{ id: null, name: null, count: 3 }],
      assignee: [{ id: null, count: 2 }],
      team: [{ id: 'team-1', count: 1 }],
      late: 3,
      replyOverdue: 0,
      concern: { open: 0, assessOverdue: 0, confirmOverdue: 0, nextDue: null },
    });
  });

  it('counts ages and clocks, of what the caller sees and the filter leaves', async () => {
    const set = (name: string, assignments: string) =>
      stack.sql(`UPDATE messages SET ${assignments} WHERE id = $1`, [ids.get(name)]);
    const ago = (interval: string) => `now() - interval '${interval}'`;
    const marked = `concern_marked_at = now(), concern_marked_by = 'x'`;
    await set(
      'children',
      `received_at = ${ago('4 days')}, late = false, reply_by = ${ago('1 hour')}, ${marked},
       concern_assess_by = ${ago('3 days')}, concern_confirm_by = '2100-01-02T00:00:00Z'`,
    );
    await set(
      'school',
      `received_at = ${ago('40 days')}, reply_by = ${ago('1 hour')}, ${marked}, concern_assess_by = ${ago('39 days')},
       concern_assessed_at = now(), concern_confirm_by = ${ago('30 days')}`,
    );
    await set(
      'number',
      `late = false, ${marked}, concern_assess_by = '2100-01-01T00:00:00Z',
       concern_confirm_by = '2100-01-03T00:00:00Z', assignee_kind = 'user', assignee_id = 'caseworker-7'`,
    );
    const summaryOf = async (query: string, as?: object) =>
      (await (await stack.call('GET', `/incoming-documents/summary?${query}`, as && { as })).json()) as object;

    expect(await summaryOf('')).toMatchObject({
      total: 3,
      assignee: [
        { id: 'caseworker-7', count: 1 },
        { id: null, count: 1 },
      ],
      age: [
        { olderThan: 'P0D', count: 1 },
        { olderThan: 'P1D', count: 0 },
        { olderThan: 'P3D', count: 1 },
        { olderThan: 'P7D', count: 0 },
        { olderThan: 'P14D', count: 0 },
        { olderThan: 'P30D', count: 1 },
      ],
      late: 1,
      replyOverdue: 1, // not the late one
      concern: { open: 3, assessOverdue: 1, confirmOverdue: 1, nextDue: '2100-01-01T00:00:00.000Z' },
    });
    expect(await summaryOf('concern=overdue&late=false')).toMatchObject({ total: 1, concern: { open: 1 } });
    const own = { user: 'caseworker-7', teams: [], roles: ['IndkomneDokumenter.Læs'] };
    expect(await summaryOf('', own)).toMatchObject({ total: 1, late: 0, concern: { open: 1, assessOverdue: 0 } });
    const nothing = { total: 0, isMore: false, status: [], kind: [], contactPoint: [], assignee: [], team: [] };
    for (const query of ['status=held', 'view=unhandled&olderThan=P1D&status=journalized']) {
      expect(await summaryOf(query)).toMatchObject({ ...nothing, concern: { open: 0, nextDue: null } });
    }
    expect(await summaryOf('', { ...own, municipality: VESTERSUND })).toMatchObject(nothing);
  });

  it('says that there are more than it counts', async () => {
    const response = await stack.call('GET', '/incoming-documents/summary?status=journalized,pending');
    expect(await response.json()).toMatchObject({ total: 1003, isMore: true });
  });
});
