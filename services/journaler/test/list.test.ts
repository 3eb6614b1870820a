import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  CASEWORKER_ROLES,
  CONTACT_POINT,
  startTestStack,
  type TestStack,
  VESTERSUND,
} from '../../../infra/src/testkit/stack.js';
import type { Role } from '../../../shared/src/access/index.js';
import type { DocumentQuery } from '../../../shared/src/api/index.js';
import { openStore, Prisma, type Store } from '../../../shared/src/store/index.js';
import {
  change,
  deliverMemo,
  deliverReply,
  expectProblem,
  list,
  registerSentMessage,
  SETUP,
  upsertCase,
} from '../../../shared/test/inbox/support.js';
import type { Position } from '../src/inbox/filter.js';
import { statementOf } from '../src/inbox/list.js';

let stack: TestStack;

beforeAll(async () => {
  stack = await startTestStack();
});

afterAll(() => stack.close());

describe('the filters', () => {
  const names = new Map<string, string>();
  const ME = { user: 'caseworker-1', teams: ['team-1'] };

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
    await change(stack, 'POST', `${ids.rejected}/rejection`, { version: 1, body: { reason: 'unwanted' } });
    // Only the columns matter here; the calls that set them have tests of their own.
    await stack.sql(`UPDATE messages SET channel = 'sf2900' WHERE id = $1`, [ids.distributed]);
    const assign = `UPDATE messages SET assignee_kind = $2, assignee_id = $3 WHERE id = $1`;
    await stack.sql(assign, [ids.mine, 'user', ME.user]);
    await stack.sql(assign, [ids.teams, 'team', 'team-1']);
    await stack.sql(assign, [ids.others, 'user', 'caseworker-2']);
    await stack.sql(`UPDATE messages SET received_at = letter_at + interval '30 days'`);
    await stack.sql(`UPDATE messages SET received_at = '2026-01-01T00:00:00Z' WHERE id = $1`, [ids.others]);
    await stack.sql(`UPDATE messages SET late = id = $1`, [ids.forwarded]);
    await stack.sql(`UPDATE messages SET has_media = true WHERE id = $1`, [ids.distributed]);
    await stack.sql(`UPDATE messages SET reply_by = $2 WHERE id = $1`, [ids.mine, day(20)]);
    await stack.sql(`UPDATE messages SET reply_by = $2 WHERE id = $1`, [ids.teams, day(19)]);
    const mark = `UPDATE messages SET concern_marked_at = received_at, concern_marked_by = 'test', concern_assess_by = $2,
      concern_assessed_at = $3, concern_confirm_by = $4, concern_confirmed_at = $5 WHERE id = $1`;
    await stack.sql(mark, [ids.enquiry, day(3), null, day(9), null]); // overdue
    await stack.sql(mark, [ids.reply, day(2), day(2), '2100-01-01T00:00:00Z', null]); // its confirmation is due later
    await stack.sql(mark, [ids.held, day(2), day(2), day(9), day(8)]); // both met
  });

  // The default order is that of receipt.
  const pending = ['others', 'reply', 'enquiry', 'forwarded', 'held', 'distributed', 'mine', 'teams'];
  const without = (...left: string[]) => pending.filter((name) => !left.includes(name));

  it.each<[string, string[]]>([
    ['', pending],
    ['status=pending', pending],
    ['status=journalized', ['journalized']],
    ['status=rejected', ['rejected']],
    ['status=held', []], // visible to set-up only
    ['kind=reply', ['reply']],
    ['kind=forwarded', ['forwarded']],
    ['kind=enquiry', without('reply', 'forwarded')],
    ['channel=sf2900', ['distributed']],
    ['channel=sf1606', without('distributed')],
    [`contactPoint=${CONTACT_POINT}`, ['enquiry']],
    ['contactPoint=unknown', []],
    ['case=K-1', ['reply']],
    ['case=K-2', []],
    ['case=K-2&status=journalized', ['journalized']],
    ['case=K-3&status=journalized', ['journalized']],
    ['hasSuggestion=true', ['reply']],
    ['hasSuggestion=false', without('reply')],
    ['assignee=me', ['mine', 'teams']],
    ['assignee=none', without('mine', 'teams', 'others')],
    ['assignee=team-1', ['teams']],
    ['assignee=caseworker-2', ['others']],
    ['owner=me', ['reply']],
    [`receivedFrom=${day(10)}`, without('others')],
    [`receivedTo=${day(10)}`, ['others']],
    [`receivedFrom=2026-11-01T08:00:00Z&receivedTo=2026-11-02T08:00:00Z`, ['enquiry']], // from is in, to is out
    ['olderThan=P100D', ['others']],
    ['olderThan=P30DT12H&kind=reply', []],
    ['status=pending,journalized', [...pending.slice(0, 4), 'journalized', ...pending.slice(4)]],
    ['status=journalized,rejected', ['journalized', 'rejected']],
    ['late=true', ['forwarded']],
    ['hasMedia=true', ['distributed']],
    ['concern=any', ['reply', 'enquiry', 'held']],
    ['concern=open', ['reply', 'enquiry']],
    ['concern=overdue', ['enquiry']],
    ['view=mine', ['reply']],
    ['view=assigned', ['mine', 'teams']],
    ['view=nobodys', without('reply', 'mine', 'teams', 'others')],
    ['view=late', ['forwarded']],
    ['view=unhandled&olderThan=P100D', ['others']],
    ['view=unhandled&olderThan=P100D&status=journalized', []],
    ['kind=enquiry&assignee=me&channel=sf1606', ['mine', 'teams']],
  ])('?%s', async (query, expected) => {
    const { items } = await list(stack, `?${query}`, ME);
    expect(items.map(({ id }) => names.get(id))).toEqual(expected);
  });

  it('held messages are visible to set-up', async () => {
    const { items } = await list(stack, '?status=held', SETUP);
    expect(items.map(({ id, heldCause }) => [names.get(id), heldCause])).toEqual([['conflict', 'conflict']]);
  });

  it.each<[string, string[]]>([
    ['letterAt', [...without('others'), 'others']],
    ['-letterAt', [...without('others'), 'others'].reverse()],
    ['receivedAt', pending],
    ['-receivedAt', [...pending].reverse()],
    ['replyBy', ['teams', 'mine', ...without('teams', 'mine', 'others'), 'others']],
    ['-replyBy', ['mine', 'teams', 'others', ...without('teams', 'mine', 'others').reverse()]],
    ['concernDue', ['enquiry', 'reply', ...without('enquiry', 'reply', 'others'), 'others']],
  ])('sort=%s', async (sort, expected) => {
    const { items } = await list(stack, `?sort=${sort}`, ME);
    expect(items.map(({ id }) => names.get(id))).toEqual(expected);
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
    'olderThan=PT',
    'olderThan=3',
    'olderThan=-P3D',
    'olderThan=P3M',
    'view=everything',
    'late=perhaps',
    'concern=yes',
    'sort=replyBy&status=journalized',
    'sort=concernDue&status=pending,rejected',
    'q=letter',
    'sender=4101019999',
    'concerning=4101019999',
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
    const [field = ''] = query.split('=');
    expect(problem.path).toMatch(new RegExp(`^query\\.${field}(\\.0)?$`));
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
    'olderThan=P3D',
    'olderThan=PT36H',
    'olderThan=P1DT12H',
    'receivedTo=2026-10-31T00:00:00.123456Z',
    'status=held,pending,rejected',
    'limit=1',
    'limit=200',
    'receivedFrom=2026-11-20T00:00:00%2B01:00',
    'receivedTo=2026-11-20T00:00:00-00:00',
    'receivedTo=2026-11-20T00:00:00.1%2B05:45',
    'receivedFrom=2026-11-20t00:00:00z',
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

  const cursorOf = (...parts: unknown[]) => Buffer.from(JSON.stringify(parts)).toString('base64url');

  it.each([
    ['is not base64', '%21%21%21'],
    ['is not JSON', Buffer.from('nonsense').toString('base64url')],
    ['is incomplete', cursorOf('2026-10-10T00:00:00.000Z')],
    ['has no list', cursorOf('2026-10-10T00:00:00.000Z', randomUUID())],
    ['is of no list', cursorOf('2026-10-10T00:00:00.000Z', randomUUID(), 'AAAAAAAAAAAA')],
    ['has no time', cursorOf('now', randomUUID(), 'AAAAAAAAAAAA')],
    ['has no id', cursorOf('2026-10-10T00:00:00.000Z', 'x', 'AAAAAAAAAAAA')],
    [
      'has a time that the database does not support',
      cursorOf('0000-01-01T00:00:00.000Z', randomUUID(), 'AAAAAAAAAAAA'),
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
      ['another value of a filter', FIRST.replace('kind=enquiry', 'kind=reply')],
      ['a filter less', FIRST.replace('kind=enquiry&', '')],
      ['a filter more', `${FIRST}&assignee=none`],
      ['another status', `${FIRST}&status=journalized`],
      ['another time', FIRST.replace('2027', '2028')],
    ])('are refused with %s', async (_name, query) => {
      const problem = await expectProblem(await next(query), 400, 'bad-request');
      expect(problem).toMatchObject({ path: 'query.cursor', detail: expect.stringContaining('another sort') });
    });

    it('hold a time, an id and a hash, and nothing of the filters', async () => {
      const { nextCursor } = await list(stack, `?${FIRST}`, as);
      const [time, id, hash, ...more] = JSON.parse(Buffer.from(nextCursor ?? '', 'base64url').toString());
      expect([new Date(time).toISOString(), id.length, hash.length, more]).toEqual([time, 36, 12, []]);
    });
  });

  it('of one municipality are invisible to another, whatever the cursor', async () => {
    const { nextCursor } = await list(stack, '?limit=1', as);
    const { items } = await list(stack, `?cursor=${nextCursor}&limit=200`, { roles: CASEWORKER_ROLES });
    const theirs = new Set((await list(stack, '?limit=200', as)).items.map(({ id }) => id));
    expect(items.filter(({ id }) => theirs.has(id))).toEqual([]);
  });
});

describe('with thousands of messages', () => {
  const MANY = 4_000;
  const cvr = '44444444';
  let store: Store;

  // Journalized messages of one municipality; one in a hundred concerns the caller, in one of four ways.
  beforeAll(async () => {
    store = openStore({ url: stack.serviceUrl, connections: 1, name: 'plans' });
    await stack.sql(`INSERT INTO municipalities (cvr, name) VALUES ($1, 'Kommune')`, [cvr]);
    await stack.sql(
      `INSERT INTO cases (municipality, case_id, caseworker)
       SELECT $1, 'K-' || n, 'caseworker-' || n % 100 FROM generate_series(0, 999) n`,
      [cvr],
    );
    await stack.sql(
      `INSERT INTO messages (id, municipality, channel, external_id, fingerprint, kind, received_at, letter_at, transmission_id,
         document_count, file_count, content_size, remarks, status, status_at, status_by, next_enqueue_at, suggested_case_id,
         assignee_kind, assignee_id)
       SELECT gen_random_uuid(), $1, 'sf1606', n::text, 'x', 'reply', now() - n * interval '1 minute',
         now() - n * interval '1 minute', gen_random_uuid(), 0, 0, 0, '[]', 'journalized', now(), 'test', now(), 'K-' || n % 1000,
         CASE WHEN n % 10 = 0 THEN CASE WHEN n % 20 = 0 THEN 'user' ELSE 'team' END END,
         CASE WHEN n % 10 = 0 THEN CASE WHEN n % 20 = 0 THEN 'caseworker-' ELSE 'team-' END || n / 20 % 100 END
       FROM generate_series(1, ${MANY}) n`,
      [cvr],
    );
    await stack.sql(
      `INSERT INTO journalizations (message_id, case_id, municipality, at, by)
       SELECT id, 'J-' || external_id::int % 1000, municipality, now(), 'test' FROM messages WHERE municipality = $1`,
      [cvr],
    );
    await stack.sql('ANALYZE');
  });

  afterAll(() => store.close());

  interface PlanNode {
    readonly 'Relation Name'?: string;
    readonly 'Node Type': string;
    readonly 'Actual Rows': number;
    readonly 'Actual Loops': number;
    readonly 'Rows Removed by Filter'?: number;
    readonly Plans?: readonly PlanNode[];
  }

  /** Rows of messages that a statement read, kept or not. */
  function rowsRead(node: PlanNode): number {
    const own = node['Relation Name'] === 'messages' ? node['Actual Rows'] + (node['Rows Removed by Filter'] ?? 0) : 0;
    return (node.Plans ?? []).reduce((sum, child) => sum + rowsRead(child), own * node['Actual Loops']);
  }

  const query = (more: Partial<DocumentQuery> = {}): DocumentQuery => ({
    status: ['journalized'],
    sort: 'letterAt',
    limit: 50,
    ...more,
  });
  const READ: Role = 'IndkomneDokumenter.Læs';
  const SEE_ALL: Role = 'IndkomneDokumenter.SeAlle';
  const from = { time: new Date(Date.now() - (MANY / 2) * 60_000).toISOString(), id: randomUUID() };

  it.each<[string, Role[], DocumentQuery, Position?]>([
    ['the first page', [READ, SEE_ALL], query()],
    ['a page in the middle, newest first', [READ, SEE_ALL], query({ sort: '-letterAt' }), from],
    ['a page in the middle by arrival', [READ, SEE_ALL], query({ sort: 'receivedAt' }), from],
    ['the caller’s own', [READ], query()],
    ['a page of the caller’s own', [READ], query(), from],
    ['the caller’s own, beside the held ones', [READ, 'Indbakke.Drift'], query()],
    ['a case', [READ, SEE_ALL], query({ case: 'K-7' })],
    ['a case that messages were journalized on', [READ, SEE_ALL], query({ case: 'J-7' })],
    ['those assigned to the caller', [READ, SEE_ALL], query({ assignee: 'me' })],
    ['those suggested to the caller', [READ, SEE_ALL], query({ owner: 'me' })],
    [
      'several statuses',
      [READ, SEE_ALL],
      query({ status: ['journalized', 'pending', 'rejected'], sort: '-receivedAt' }),
    ],
    ['a kind that there is not', [READ, SEE_ALL], query({ kind: 'forwarded', sort: '-receivedAt' })],
    ['a channel that there is not', [READ, SEE_ALL], query({ channel: 'sf2900', sort: '-receivedAt' })],
    ['a contact point that there is not', [READ, SEE_ALL], query({ contactPoint: 'x', sort: '-receivedAt' })],
    ['late ones, of which there are none', [READ, SEE_ALL], query({ view: 'late', sort: '-receivedAt' })],
    ['concerns, of which there are none', [READ, SEE_ALL], query({ concern: 'any', sort: '-receivedAt' })],
    ['media, of which there are none', [READ, SEE_ALL], query({ hasMedia: true, sort: '-receivedAt' })],
    ['the own of a kind', [READ], query({ kind: 'reply', sort: '-receivedAt' })],
    [
      'an hour',
      [READ, SEE_ALL],
      query({
        receivedFrom: new Date(Date.now() - 7_200_000).toISOString(),
        receivedTo: new Date(Date.now() - 3_600_000).toISOString(),
        sort: 'receivedAt',
      }),
    ],
  ])('a list of %s does not read through the messages of its status', async (_name, roles, given, position) => {
    const principal = {
      actor: { kind: 'user', id: 'caseworker-7' },
      municipality: cvr,
      roles: new Set(roles),
      teams: ['team-7'],
    } as const;
    const { statement } = statementOf(principal, given, { from: position });
    const explained = Prisma.sql`EXPLAIN (ANALYZE, FORMAT JSON) ${statement}`;
    const [row] = await store.query<{ 'QUERY PLAN': [{ Plan: PlanNode }] }>(cvr, explained, 'fresh');
    expect(rowsRead(row?.['QUERY PLAN'][0].Plan as PlanNode)).toBeLessThan(MANY / 20);
  });
});
