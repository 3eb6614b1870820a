import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  CASEWORKER_ROLES,
  CONTACT_POINT,
  startTestStack,
  type TestStack,
  VESTERSUND,
} from '../../../infra/src/testkit/stack.js';
import {
  change,
  deliverMemo,
  deliverReply,
  expectProblem,
  list,
  listAll,
  registerSentMessage,
  SETUP,
  upsertCase,
} from '../../../shared/test/inbox/support.js';

let stack: TestStack;

beforeAll(async () => {
  stack = await startTestStack();
});

afterAll(() => stack.close());

describe('the filters', () => {
  const names = new Map<string, string>();
  const ME = { user: 'caseworker-1', teams: ['team-1'] };

  const start = Date.now();
  /** A minute after, so that an age in whole days is passed. */
  const daysAgo = (days: number) => new Date(start - days * 86_400_000 - 60_000).toISOString();
  const day = (n: number) => `2026-10-${String(n).padStart(2, '0')}T08:00:00.000Z`;

  beforeAll(async () => {
    const uuid = randomUUID();
    await registerSentMessage(stack, uuid, { caseId: 'K-1' });
    await upsertCase(stack, 'K-1', { caseworker: ME.user });
    for (const caseId of ['K-2', 'K-3']) await upsertCase(stack, caseId);
    const answer = [{ messageUUID: randomUUID(), replyUUID: uuid }];
    const ids = {
      reply: await deliverReply(stack, answer, { createdDateTime: day(1) }),
      enquiry: await deliverMemo(stack, { createdDateTime: day(2), contactPointId: CONTACT_POINT }),
      forwarded: await deliverMemo(stack, { createdDateTime: day(3), forwardedFrom: 'Rigshospitalet' }),
      journalized: await deliverMemo(stack, { createdDateTime: day(4) }),
      rejected: await deliverMemo(stack, { createdDateTime: day(5) }),
      held: await deliverMemo(stack, { createdDateTime: day(6), messageUUID: uuid }),
      conflict: await deliverMemo(stack, { createdDateTime: day(7), messageUUID: uuid, subject: 'Andet indhold' }),
      distributed: await deliverMemo(stack, { createdDateTime: day(8) }),
      mine: await deliverMemo(stack, { createdDateTime: day(9) }),
      teams: await deliverMemo(stack, { createdDateTime: day(10) }),
      others: await deliverMemo(stack, { createdDateTime: day(11) }),
    };
    for (const [name, id] of Object.entries(ids)) names.set(id, name);
    await change(stack, 'POST', `${ids.journalized}/journalization`, { version: 1, body: { caseIds: ['K-2', 'K-3'] } });
    await change(stack, 'POST', `${ids.rejected}/rejection`, {
      version: 1,
      body: { reason: 'unwanted', explanation: 'Ikke til os' },
    });
    // Only the columns matter here; the calls that set them have tests of their own.
    await stack.sql(`UPDATE messages SET channel = 'sf2900' WHERE id = $1`, [ids.distributed]);
    const assign = `UPDATE messages SET assignee_kind = $2, assignee_id = $3 WHERE id = $1`;
    await stack.sql(assign, [ids.mine, 'user', ME.user]);
    await stack.sql(assign, [ids.teams, 'team', 'team-1']);
    await stack.sql(assign, [ids.others, 'user', 'caseworker-2']);
    // One a day, in the order of the letters but for the last, which came first.
    for (const [at, id] of Object.values(ids).entries()) {
      const age = id === ids.others ? 100 : 20 - at;
      await stack.sql('UPDATE messages SET received_at = $2 WHERE id = $1', [id, daysAgo(age)]);
    }
    const set = (id: string, assignments: string) =>
      stack.sql(`UPDATE messages SET ${assignments} WHERE id = $1`, [id]);
    await stack.sql(`UPDATE messages SET late = (id = $1)`, [ids.forwarded]);
    await set(ids.distributed, `has_media = true, reply_by = now() + interval '1 day'`);
    await set(ids.held, `reply_by = now() - interval '1 day'`);
    const marked = `concern_marked_at = now(), concern_marked_by = 'x'`;
    const by = (hours: number) => `now() + interval '${hours} hours'`;
    await set(ids.reply, `${marked}, concern_assess_by = ${by(2)}, concern_confirm_by = ${by(9)}`);
    await set(ids.mine, `${marked}, concern_assess_by = ${by(-2)}, concern_confirm_by = ${by(5)}`);
    await set(
      ids.teams,
      `${marked}, concern_assess_by = ${by(-9)}, concern_assessed_at = now(), concern_confirm_by = ${by(7)}`,
    );
    await set(
      ids.others,
      `${marked}, concern_assess_by = ${by(-9)}, concern_confirm_by = ${by(-8)},
      concern_assessed_at = now(), concern_confirmed_at = now()`,
    );
  });

  const byLetter = ['reply', 'enquiry', 'forwarded', 'held', 'distributed', 'mine', 'teams', 'others'];
  const pending = ['others', ...byLetter.slice(0, -1)];
  const without = (...left: string[]) => pending.filter((name) => !left.includes(name));

  it.each<[string, string[]]>([
    ['', pending],
    ['status=pending', pending],
    ['status=journalized', ['journalized']],
    ['status=rejected', ['rejected']],
    ['status=held', []], // visible to set-up only
    ['status=pending,held', pending],
    [
      'status=journalized,pending',
      ['others', 'reply', 'enquiry', 'forwarded', 'journalized', ...byLetter.slice(3, -1)],
    ],
    [
      'status=rejected,journalized,pending&sort=-receivedAt',
      [...byLetter.slice(3, -1).reverse(), 'rejected', 'journalized', 'forwarded', 'enquiry', 'reply', 'others'],
    ],
    ['view=mine', ['reply']],
    ['view=assigned', ['mine', 'teams']],
    ['view=nobodys', without('reply', 'mine', 'teams', 'others')],
    ['view=unhandled&olderThan=P20D', ['others', 'reply']],
    ['view=late', ['forwarded']],
    ['kind=reply', ['reply']],
    ['kind=forwarded', ['forwarded']],
    ['kind=enquiry', without('reply', 'forwarded')],
    ['channel=sf2900', ['distributed']],
    ['channel=sf1606', without('distributed')],
    [`contactPoint=${CONTACT_POINT}`, ['enquiry']],
    [`contactPoint={${CONTACT_POINT.toUpperCase()}}`, ['enquiry']],
    ['contactPoint=unknown', []],
    ['case=K-1', ['reply']],
    ['case=K-2', []],
    ['case=K-2&status=journalized', ['journalized']],
    ['case=K-3&status=journalized', ['journalized']],
    ['case=K-3&status=journalized,pending,rejected', ['journalized']],
    ['hasSuggestion=true', ['reply']],
    ['hasSuggestion=false', without('reply')],
    ['assignee=me', ['mine', 'teams']],
    ['assignee=none', without('mine', 'teams', 'others')],
    ['assignee=team-1', ['teams']],
    ['assignee=caseworker-2', ['others']],
    ['owner=me', ['reply']],
    [`receivedFrom=${daysAgo(50)}`, without('others')],
    [`receivedTo=${daysAgo(50)}`, ['others']],
    [`receivedFrom=${daysAgo(19)}&receivedTo=${daysAgo(18)}`, ['enquiry']], // from is in, to is out
    ['olderThan=P20D', ['others', 'reply']],
    ['olderThan=PT456H', ['others', 'reply', 'enquiry']],
    ['olderThan=P18DT24H', ['others', 'reply', 'enquiry']],
    [`olderThan=P18D&receivedTo=${daysAgo(19)}`, ['others', 'reply']],
    ['late=true', ['forwarded']],
    ['late=false', without('forwarded')],
    ['hasMedia=true', ['distributed']],
    ['hasMedia=false', without('distributed')],
    ['concern=any', ['others', 'reply', 'mine', 'teams']],
    ['concern=open', ['reply', 'mine', 'teams']],
    ['concern=overdue', ['mine']],
    ['concern=open&sort=concernDue', ['mine', 'reply', 'teams']],
    ['kind=enquiry&assignee=me&channel=sf1606', ['mine', 'teams']],
    ['view=assigned&concern=overdue&late=false&hasMedia=false&hasSuggestion=false', ['mine']],
  ])('?%s', async (query, expected) => {
    // Without SeAlle, what is not the caller's own is left out, and nothing else changes.
    const own = expected.filter((name) => ['reply', 'mine', 'teams'].includes(name));
    const roles = CASEWORKER_ROLES.filter((role) => role !== 'IndkomneDokumenter.SeAlle');
    const [all, ofCaller] = [await list(stack, `?${query}`, ME), await list(stack, `?${query}`, { ...ME, roles })];
    expect(all.items.map(({ id }) => names.get(id))).toEqual(expected);
    expect(ofCaller.items.map(({ id }) => names.get(id))).toEqual(own);
    expect([all.nextCursor, ofCaller.nextCursor]).toEqual([null, null]);
  });

  it('held messages are visible to set-up', async () => {
    const { items } = await list(stack, '?status=held', SETUP);
    expect(items.map(({ id, heldCause }) => [names.get(id), heldCause])).toEqual([['conflict', 'conflict']]);
  });

  const due = ['mine', 'reply', 'teams'];
  it.each<[string, string[]]>([
    ['receivedAt', pending],
    ['-receivedAt', [...pending].reverse()],
    ['letterAt', byLetter],
    ['-letterAt', [...byLetter].reverse()],
    // those without the time last, in the order of receipt
    ['replyBy', ['held', 'distributed', ...without('held', 'distributed')]],
    ['-replyBy', ['distributed', 'held', ...without('held', 'distributed').reverse()]],
    ['concernDue', [...due, ...without(...due)]],
    ['-concernDue', [...due.toReversed(), ...without(...due).reverse()]],
  ])('sort=%s, on one page or many', async (sort, expected) => {
    const { items } = await list(stack, `?sort=${sort}`, ME);
    expect(items.map(({ id }) => names.get(id))).toEqual(expected);
    for (const limit of [1, 3]) {
      const pages = await listAll(stack, `sort=${sort}&limit=${limit}`, ME);
      expect(pages.map(({ id }) => names.get(id))).toEqual(expected);
    }
  });

  it('a summary has what a row of a list needs', async () => {
    const [item] = (await list(stack, `?contactPoint=${CONTACT_POINT}`)).items;
    expect(item).toMatchObject({
      version: 1,
      status: 'pending',
      heldCause: null,
      kind: 'enquiry',
      channel: 'sf1606',
      letterAt: day(2),
      subject: 'Henvendelse',
      sender: { id: '4101019999', idType: 'CPR', name: 'Test Testesen' },
      concerning: null,
      contactPoint: { id: CONTACT_POINT, name: 'Børn og familie' },
      suggestion: null,
      assignee: null,
      documentCount: 1,
      fileCount: 1,
      contentSize: Buffer.byteLength('Kære kommune. Venlig hilsen'),
      remarks: [],
    });
  });

  it.each([
    'status=deleted',
    'status=nonsense',
    'kind=letter',
    'channel=email',
    'hasSuggestion=maybe',
    'owner=caseworker-2',
    'receivedFrom=yesterday',
    'receivedFrom=2026-02-30T00:00:00Z',
    'receivedFrom=0000-01-01T00:00:00Z',
    'olderThan=2026-10-01',
    'olderThan=P',
    'olderThan=P1DT',
    'olderThan=PT1M',
    'olderThan=-P1D',
    'olderThan=P10000D',
    'view=all',
    'view=unhandled', // olderThan
    'view=absent', // colleagues, in a body
    'q=x',
    'late=yes',
    'hasMedia=0',
    'concern=true',
    'status=',
    'status=pending,nonsense',
    'sort=replyBy&status=journalized',
    'sort=concernDue&status=pending,rejected',
    'sort=subject',
    'sort=letterAt&sort=-letterAt',
    'limit=0',
    'limit=-1',
    'limit=201',
    'limit=1.5',
    'limit=many',
    'limit=',
    'case=',
    'case=%00',
    'contactPoint=%00',
    'assignee=a%00b',
    `case=${'x'.repeat(257)}`,
    'status=Pending',
    'kind=reply&kind=reply',
    'owner=Me',
    'hasSuggestion=True',
    'hasSuggestion=1',
    'limit=050',
    'limit=%2B5',
    'limit=%205',
    'limit=1e2',
    'limit=0x10',
    'limit=5.0',
    'cursor=',
    'receivedFrom=2026-11-20T00:00:00+01:00', // an unencoded + is a space
    'receivedFrom=2026-11-20T00:00:00%2B24:00',
    'receivedFrom=2026-11-20T00:00:00%2B0100',
    'receivedFrom=0001-01-01T00:00:00%2B23:59',
    'receivedTo=9999-12-31T23:59:59-23:59',
    'receivedTo=2026-11-20T23:59:60Z',
    'state=pending',
    '__proto__=x',
  ])('refuses ?%s as the caller’s fault, without quoting it', async (query) => {
    const problem = await expectProblem(await stack.call('GET', `/incoming-documents?${query}`), 400, 'bad-request');
    const named = query === 'view=unhandled' ? 'olderThan' : query.split('=')[0];
    expect(problem.path?.replace(/\.\d+$/, '')).toBe(`query.${named}`);
    expect(problem.detail).not.toMatch(/nonsense|yesterday|xxxx/);
  });

  it('refuses an unknown parameter, and names it only if it cannot be personal', async () => {
    const problem = await expectProblem(
      await stack.call('GET', '/incoming-documents?cpr4101019999=1'),
      400,
      'bad-request',
    );
    expect(problem).toMatchObject({ path: 'query', detail: 'query: has an unknown field.' });
  });

  it('refuses what is not UTF-8', async () => {
    await expectProblem(await stack.call('GET', '/incoming-documents?case=B%F8rn'), 400, 'bad-request');
  });

  it.each([
    'receivedFrom=0001-01-01T00:00:00Z',
    'receivedTo=9999-12-31T23:59:59.999Z',
    'olderThan=P9999D',
    'olderThan=PT99999H',
    'status=pending,held,journalized,rejected',
    'status=pending,pending',
    'limit=1',
    'limit=200',
    'receivedFrom=2026-11-20T00:00:00%2B01:00',
    'receivedTo=2026-11-20T00:00:00-00:00',
    'receivedTo=2026-11-20T00:00:00.1%2B05:45',
    'receivedTo=2026-11-20t00:00:00z',
    'case=B%C3%B8rn',
    'hasSuggestion=true&limit=7',
  ])('accepts ?%s', async (query) => {
    await list(stack, `?${query}`);
  });
});

describe('the pages', () => {
  const as = { municipality: VESTERSUND };
  const COUNT = 16;

  /** Newer and older than the present ones, so that some land before the reader’s position and some after. */
  const newMessages = () =>
    Promise.all(
      ['2026-09-01T00:00:00Z', '2026-10-01T00:00:00Z', '2026-10-31T00:00:00Z'].map((createdDateTime) =>
        deliverMemo(stack, { recipient: { id: VESTERSUND }, createdDateTime }),
      ),
    );

  let first: string[];

  beforeAll(async () => {
    // Two messages for each time, so that the id decides between them.
    const times = Array.from({ length: COUNT }, (_, n) => `2026-10-${10 + Math.floor(n / 2)}T00:00:00Z`);
    const memos = times.map((createdDateTime) => ({ recipient: { id: VESTERSUND }, createdDateTime }));
    first = [];
    for (const memo of memos) first.push(await deliverMemo(stack, memo));
    await stack.sql(`UPDATE messages SET received_at = letter_at WHERE municipality = $1`, [VESTERSUND]);
  });

  it.each(['letterAt', '-letterAt', 'receivedAt', '-receivedAt'])(
    'by %s give every message once, in order, while new ones arrive',
    async (sort) => {
      const seen: { id: string; letterAt: string; receivedAt: string }[] = [];
      let cursor: string | null = null;
      let pages = 0;
      do {
        const query: string = `?sort=${sort}&limit=7${cursor === null ? '' : `&cursor=${cursor}`}`;
        const page = await list(stack, query, as);
        seen.push(...page.items);
        cursor = page.nextCursor;
        pages += 1;
        if (pages <= 2) await newMessages();
      } while (cursor !== null);

      const ids = seen.map(({ id }) => id);
      expect(new Set(ids).size).toBe(ids.length);
      expect(ids).toEqual(expect.arrayContaining(first));
      const column = sort.replace('-', '') as 'letterAt' | 'receivedAt';
      const keys = seen.map((item) => `${item[column]} ${item.id}`);
      expect(keys).toEqual(sort.startsWith('-') ? keys.toSorted().reverse() : keys.toSorted());
      expect(pages).toBeGreaterThan(2);
    },
  );

  it.each(['receivedAt', '-receivedAt', 'letterAt', 'replyBy', '-concernDue'])(
    'by %s give what stays in the list once, while others change',
    async (sort) => {
      const all = (await listAll(stack, `sort=${sort}`, as)).map(({ id }) => id);
      const seen: string[] = [];
      const changed = new Set<string>();
      let cursor: string | null = null;
      do {
        const page: { items: { id: string }[]; nextCursor: string | null } = await list(
          stack,
          `?sort=${sort}&limit=5${cursor === null ? '' : `&cursor=${cursor}`}`,
          as,
        );
        seen.push(...page.items.map(({ id }) => id));
        cursor = page.nextCursor;
        // One that was read, the one where the page ended, and one that was not read leave the list.
        for (const id of [page.items[0]?.id, page.items.at(-1)?.id, all.findLast((each) => !seen.includes(each))]) {
          if (id === undefined || changed.has(id)) continue;
          changed.add(id);
          await stack.sql(`UPDATE messages SET status = 'journalized', version = version + 1 WHERE id = $1`, [id]);
        }
      } while (cursor !== null);
      expect(new Set(seen).size).toBe(seen.length);
      expect(all.filter((id) => !changed.has(id) && !seen.includes(id))).toEqual([]);
      await stack.sql(`UPDATE messages SET status = 'pending' WHERE id = ANY ($1)`, [[...changed]]);
    },
  );

  it('end without a cursor, even when the last page is full', async () => {
    const all = (await list(stack, '?limit=200', as)).items.length;
    const page = await list(stack, `?limit=${all}`, as);
    expect(page.items).toHaveLength(all);
    expect(page.nextCursor).toBeNull();
  });

  it('have 50 messages by default', async () => {
    await stack.sql(
      `INSERT INTO messages (id, municipality, channel, external_id, fingerprint, kind, received_at, letter_at, transmission_id,
         document_count, file_count, content_size, remarks, status, status_at, status_by, next_enqueue_at)
       SELECT gen_random_uuid(), $1, 'sf1606', n::text, 'x', 'enquiry', now(), now(), gen_random_uuid(), 0, 0, 0, '[]', 'pending',
         now(), 'test', now() FROM generate_series(1, 51) n`,
      ['33333333'],
    );
    expect((await list(stack, '', as)).items).toHaveLength(50);
  });

  it('of the history end after 1000 messages that do not match, and go on from there', async () => {
    await stack.sql(
      `INSERT INTO messages (id, municipality, channel, external_id, fingerprint, kind, received_at, letter_at, transmission_id,
         document_count, file_count, content_size, remarks, status, status_at, status_by, next_enqueue_at, assignee_kind,
         assignee_id)
       SELECT gen_random_uuid(), $1, 'sf1606', 'old-' || n, 'x', 'enquiry', now() - n * interval '1 hour', now(),
         gen_random_uuid(), 0, 0, 0, '[]', 'journalized', now(), 'test', now(),
         CASE WHEN n NOT IN (500, 1700, 2300) THEN 'user' END, CASE WHEN n NOT IN (500, 1700, 2300) THEN 'caseworker-2' END
       FROM generate_series(1, 2500) n`,
      ['33333333'],
    );
    const query = 'status=journalized&sort=-receivedAt&assignee=none';
    expect(await pagesOf(query)).toEqual([['old-500'], ['old-1700'], ['old-2300']]);
  });

  /** The external ids on each page of a list. */
  async function pagesOf(query: string): Promise<string[][]> {
    const pages: string[][] = [];
    let cursor: string | null = null;
    do {
      const page: { items: { externalId: string }[]; nextCursor: string | null } = await list(
        stack,
        `?${query}${cursor === null ? '' : `&cursor=${cursor}`}`,
        as,
      );
      pages.push(page.items.map(({ externalId }) => externalId));
      cursor = page.nextCursor;
    } while (cursor !== null);
    return pages;
  }

  const cursorOf = (...parts: unknown[]) => Buffer.from(JSON.stringify(parts)).toString('base64url');

  it.each([
    ['is not base64', '%21%21%21'],
    ['is not JSON', Buffer.from('nonsense').toString('base64url')],
    ['is incomplete', cursorOf(false, '2026-10-10T00:00:00.000Z')],
    ['has no list', cursorOf(false, '2026-10-10T00:00:00.000Z', randomUUID())],
    ['is of no list', cursorOf(false, '2026-10-10T00:00:00.000Z', randomUUID(), 'AAAAAAAAAAAA')],
    ['has no time', cursorOf(false, 'now', randomUUID(), 'AAAAAAAAAAAA')],
    ['has no id', cursorOf(false, '2026-10-10T00:00:00.000Z', 'x', 'AAAAAAAAAAAA')],
    [
      'has a time that the database does not support',
      cursorOf(false, '0000-01-01T00:00:00.000Z', randomUUID(), 'AAAAAAAAAAAA'),
    ],
  ])('refuse a cursor that %s', async (_name, cursor) => {
    const response = await stack.call('GET', `/incoming-documents?cursor=${cursor}`);
    expect((await expectProblem(response, 400, 'bad-request')).path).toBe('query.cursor');
  });

  describe('of one list', () => {
    const FIRST = 'kind=enquiry&receivedTo=2027-01-01T00:00:00Z&sort=-letterAt&limit=3';

    /** The answer to the list’s cursor with this query. */
    async function next(query: string): Promise<Response> {
      const { nextCursor } = await list(stack, `?${FIRST}`, as);
      return stack.call('GET', `/incoming-documents?${query}&cursor=${nextCursor}`, { as });
    }

    it.each([
      ['with the same query', FIRST],
      ['with another limit', FIRST.replace('limit=3', 'limit=5')],
      ['in another order of parameters', FIRST.split('&').reverse().join('&')],
      ['with a default written out', `${FIRST}&status=pending`],
    ])('continue %s', async (_name, query) => {
      const [all, page] = [await list(stack, `?${FIRST.replace('limit=3', 'limit=200')}`, as), await next(query)];
      const { items } = (await page.json()) as { items: { id: string }[] };
      const limit = Number(new URLSearchParams(query).get('limit'));
      expect(items.map(({ id }) => id)).toEqual(all.items.slice(3, 3 + limit).map(({ id }) => id));
    });

    it.each([
      ['another sort', FIRST.replace('-letterAt', 'letterAt')],
      ['a sort by another time', FIRST.replace('-letterAt', '-receivedAt')],
      ['the default sort', FIRST.replace('&sort=-letterAt', '')],
      ['statuses more', `${FIRST}&status=journalized,pending`],
      ['another value of a filter', FIRST.replace('kind=enquiry', 'kind=reply')],
      ['a filter less', FIRST.replace('kind=enquiry&', '')],
      ['a filter more', `${FIRST}&assignee=none`],
      ['another status', `${FIRST}&status=journalized`],
      ['another time', FIRST.replace('2027', '2028')],
    ])('are refused with %s', async (_name, query) => {
      const problem = await expectProblem(await next(query), 400, 'bad-request');
      expect(problem).toMatchObject({ path: 'query.cursor', detail: expect.stringContaining('another sort') });
    });

    it('tell neither where they stopped nor what was searched for, and change with each', async () => {
      const pages = [await list(stack, `?${FIRST}`, as), await list(stack, `?${FIRST}&assignee=none`, as)];
      for (const { items, nextCursor } of pages) {
        const { id, receivedAt } = items.at(-1) as { id: string; receivedAt: string };
        const shown = Buffer.from(nextCursor ?? '', 'base64url').toString('latin1');
        for (const word of [id, receivedAt.slice(0, 10), 'enquiry', 'false']) expect(shown).not.toContain(word);
      }
      expect(pages[0]?.nextCursor).not.toBe(pages[1]?.nextCursor);
    });

    it('are refused when one bit of them is another', async () => {
      const { nextCursor } = await list(stack, `?${FIRST}`, as);
      const sealed = Buffer.from(nextCursor ?? '', 'base64url');
      for (const at of [0, 20, sealed.length - 1]) {
        const forged = Buffer.from(sealed);
        forged[at] = (forged[at] ?? 0) ^ 1;
        const response = await stack.call(
          'GET',
          `/incoming-documents?${FIRST}&cursor=${forged.toString('base64url')}`,
          {
            as,
          },
        );
        expect((await expectProblem(response, 400, 'bad-request')).path).toBe('query.cursor');
      }
    });
  });

  it('of one municipality are invisible to another, whatever the cursor', async () => {
    const { nextCursor } = await list(stack, '?limit=1', as);
    const { items } = await list(stack, `?cursor=${nextCursor}&limit=200`, { roles: CASEWORKER_ROLES });
    const theirs = new Set((await list(stack, '?limit=200', as)).items.map(({ id }) => id));
    expect(items.filter(({ id }) => theirs.has(id))).toEqual([]);
  });
});
