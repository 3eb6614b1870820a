// @module-tag long
import pg from 'pg';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { createTestDatabase, type TestDatabase } from '../../../infra/src/testkit/database.js';
import { hasWords, searchMessages, type WordSearch } from '../../src/inbox/index.js';
import { newId, openStore, Prisma, type Store } from '../../src/store/index.js';

// The search itself. That intake writes the words, that the API finds by them, and that changes and deletion reach them, is in
// the tests of the services.

const [ODENSKOV, VESTERSUND] = ['22222222', '33333333'] as const;
const NEWEST = new Date('2026-11-20T08:00:00.000Z');

let database: TestDatabase;
let store: Store;
let owner: pg.Client;

beforeAll(async () => {
  database = await createTestDatabase();
  store = openStore({ url: database.url, connections: 2, name: 'words' });
  owner = new pg.Client({ connectionString: database.ownerUrl });
  await owner.connect();
  await owner.query(`INSERT INTO municipalities (cvr, name) VALUES ($1, 'x'), ($2, 'y')`, [ODENSKOV, VESTERSUND]);
});

beforeEach(() => owner.query('TRUNCATE messages, message_words CASCADE'));

afterAll(async () => {
  await owner.end();
  await store.close();
  await database.drop();
});

interface Stored {
  readonly subject?: string;
  readonly names?: readonly string[];
  readonly ids?: readonly string[];
  readonly status?: string;
  readonly municipality?: string;
  readonly weeksAgo?: number;
}

/** Inserts messages; each is called by its subject. */
async function put(...messages: Stored[]): Promise<string[]> {
  const ids = messages.map(() => newId());
  for (const [n, message] of messages.entries()) {
    const { subject = '', names = [], ids: numbers = [], status = 'pending', municipality = ODENSKOV } = message;
    const at = new Date(NEWEST.getTime() - (message.weeksAgo ?? 0) * 7 * 86_400_000);
    await owner.query(
      `WITH stored AS (
         INSERT INTO messages (id, municipality, channel, external_id, fingerprint, kind, received_at, letter_at, transmission_id,
           document_count, file_count, content_size, remarks, status, status_before, status_at, status_by, next_enqueue_at)
         VALUES ($1, $2, 'sf1606', $1::uuid::text, '', 'enquiry', $3, $3, $1, 0, 0, 0, '[]', $4,
           CASE WHEN $4 = 'rejected' THEN 'pending' END, $3, 'test', $3)
         RETURNING id, municipality, status, received_at
       ), details AS (
         INSERT INTO message_details (message_id, municipality, subject, sender_id, sender_id_type, sender_name, contact_info,
           original_format, original)
         SELECT id, municipality, $5, '', '', '', '[]', 'memo', '' FROM stored
       )
       INSERT INTO message_words (message_id, municipality, status, received_at, words)
       SELECT id, municipality, status, received_at, words_of($5, $6, $7) FROM stored`,
      [ids[n], municipality, at, status, subject, names, numbers],
    );
  }
  return ids;
}

const subjectOf = async (id: string) =>
  (await owner.query<{ subject: string }>('SELECT subject FROM message_details WHERE message_id = $1', [id])).rows[0]
    ?.subject;

async function search(query: string, more: Partial<WordSearch & { municipality: string }> = {}) {
  const { municipality = ODENSKOV, ...options } = more;
  return searchMessages(store, municipality, {
    query,
    statuses: ['pending'],
    newestFirst: true,
    wanted: 100,
    ...options,
  });
}

/** Subjects of what is found, the newest first, which the condition on single messages must find as well. */
async function find(query: string, more: Partial<WordSearch & { municipality: string }> = {}) {
  const { ids } = await search(query, more);
  const { municipality = ODENSKOV, statuses = ['pending'] } = more;
  const single = await store.query<{ id: string }>(
    municipality,
    Prisma.sql`SELECT id FROM messages m WHERE m.status = ANY (${[...statuses]}::text[]) AND ${hasWords(query)}`,
    'fresh',
  );
  expect(single.map(({ id }) => id).sort(), query).toEqual([...ids].sort());
  return Promise.all(ids.map(subjectOf));
}

describe('a word', () => {
  it.each([
    ['børnene', 'børn'],
    ['børn', 'Børnenes skolegang'],
    ['BØRNENE', 'Bekymring for BØRN'],
    ['skolen', 'Møde på skolerne'],
    ['underretninger', 'Underretning'],
    ['afgørelsen', 'Vedr. afgørelse'],
    ['sagerne', 'sag'],
    ['under', 'Underretning'],
    ['Aarhus', 'Århus'],
    ['århus', 'Aarhus'],
    ['A\u030Arhus', 'Århus'],
    ['a\u030Arhus', 'ÅRHUS'],
    ['Århus', 'A\u030Arhus'],
    ['møde', 'MØDE'],
    ['ANDRÉ', 'Vedr. Andre\u0301'],
    ['andre', 'Vedr. André'],
    ['ﬁnde', 'finde'],
    ['１２', 'sag 12'],
    ['børnehave', 'børne\u00ADhave'],
    ['skole', 'hjem/skole-samtale'],
    ['samtale', 'hjem/skole-samtale'],
    ['og', 'mad og drikke'],
    ['b4', 'Lejlighed B4'],
    ['a', 'Bilag A'],
    ['Ж', 'ж'],
  ])('%s finds %s', async (query, subject) => {
    await put({ subject }, { subject: 'noget ganske andet' });
    expect(await find(query)).toEqual([subject]);
  });

  it.each([
    ['a', 'Andet'],
    ['nene', 'børnene'],
    ['barnet', 'børnene'],
    ['børnehaven', 'børn'],
    ['ø', 'o'],
    ['søn', 'son'],
  ])('%s does not find %s', async (query, subject) => {
    await put({ subject });
    expect(await find(query)).toEqual([]);
  });

  it('finds a name by its beginning', async () => {
    await put({ subject: 'x', names: ['Test Testesen'] }, { subject: 'y', names: ['Øjvind Åkjær-Søe'] });
    for (const query of ['Test', 'Teste', 'testesen', 'TESTESEN test']) expect(await find(query)).toEqual(['x']);
    for (const query of ['øj', 'åkj', 'aakjær', 'søe øjvind']) expect(await find(query)).toEqual(['y']);
    expect(await find('testesenx')).toEqual([]);
  });

  it('is no name because they have the same stem', async () => {
    await put({ subject: 'x', names: ['Anders Testesen'] });
    expect(await find('andet')).toEqual([]); // both have the stem "and"
    expect(await find('anders')).toEqual(['x']);
  });

  it('longer than 64 characters is found by as many', async () => {
    const long = 'x'.repeat(256);
    await put({ subject: long }, { subject: 'ﷺ'.repeat(256) });
    expect(await find(long)).toEqual([long]);
    expect(await find('x'.repeat(65))).toEqual([long]);
    expect(await find('x'.repeat(63))).toEqual([long]);
  });
});

describe('several words', () => {
  it('must all be there, in subject, names and numbers together', async () => {
    await put(
      { subject: 'Skolens underretning', names: ['Test Testesen', 'Barn Eksempel'], ids: ['4101019999'] },
      { subject: 'Skolens brev', names: ['Test Testesen'] },
    );
    expect(await find('underretning skole')).toEqual(['Skolens underretning']);
    expect(await find('eksempel 410101-9999 test')).toEqual(['Skolens underretning']);
    expect(await find('underretning brev')).toEqual([]);
    expect((await find('skolen test')).length).toBe(2);
  });
});

describe('words of any frequency, for which the index is asked for the rarest alone', () => {
  /** How often each word is there, and in which of the 40 weeks. */
  const WORDS = [
    ['altid', 'true'],
    ['ofte', 'n % 2 = 0'],
    ['sommetider', 'n % 10 = 3'],
    ['sjældent', 'n % 97 = 13'],
    ['engang', 'n = 1913'],
    ['nyligt', 'week < 5 AND n % 3 = 0'],
    ['forhen', 'week > 20 AND n % 3 = 0'],
    ['aldrig', 'false'],
  ] as const;
  const TERMS = [...WORDS.map(([word]) => word), 'so', '4101019999'];
  const QUERIES = TERMS.flatMap((a, at) => TERMS.slice(at).map((b) => `${a} ${b}`));

  beforeEach(async () => {
    await owner.query(
      `INSERT INTO messages (id, municipality, channel, external_id, fingerprint, kind, received_at, letter_at, transmission_id,
         document_count, file_count, content_size, remarks, status, status_at, status_by, next_enqueue_at)
       SELECT gen_random_uuid(), $1, 'sf1606', n::text, '', 'enquiry', at, at, gen_random_uuid(), 0, 0, 0, '[]', status, at, 'test', at
       FROM generate_series(0, 1999) AS n, LATERAL (SELECT $2::timestamptz - n * interval '201 minutes',
         CASE WHEN n % 7 = 0 THEN 'journalized' ELSE 'pending' END) AS placed (at, status)`,
      [ODENSKOV, NEWEST],
    );
    await owner.query(
      `INSERT INTO message_words SELECT id, municipality, status, received_at, words_of(
         concat_ws(' ', ${WORDS.map(([word, isThere]) => `CASE WHEN ${isThere} THEN '${word}' END`).join(', ')}), '{}',
         CASE WHEN n % 150 = 0 THEN '{4101019999}'::text[] END)
       FROM (SELECT *, external_id::int AS n, external_id::int / 50 AS week FROM messages) AS numbered`,
    );
  });

  it.each([
    [true, ['pending']],
    [false, ['pending']],
    [true, ['pending', 'journalized']],
  ])('are found like by reading all (newest first: %s, %j)', async (newestFirst, statuses) => {
    const direction = newestFirst ? Prisma.sql`DESC` : Prisma.sql`ASC`;
    for (const query of QUERIES) {
      const all = await store.query<{ id: string }>(
        ODENSKOV,
        Prisma.sql`SELECT id FROM messages m WHERE m.status = ANY (${statuses}::text[]) AND ${hasWords(query)}
          ORDER BY received_at ${direction}, id ${direction}`,
        'fresh',
      );
      const ids = all.map(({ id }) => id);
      for (const wanted of [10, 2_001]) {
        const found = await search(query, { newestFirst, statuses, wanted });
        expect(found.ids, query).toEqual(ids.slice(0, wanted));
      }
    }
  });
});

describe('a number', () => {
  const SPELLINGS = ['4101019999', '410101-9999', '410101 9999', '41 01 01 99 99', '410101–9999', 'CPR 410101-9999'];
  const CVR_SPELLINGS = [
    '22222222',
    '22 22 22 22',
    'DK22222222',
    'DK-22 22 22 22',
    'CVR-nr. 22222222',
    'cvr: 22222222',
  ];

  it.each(SPELLINGS)('is found in any spelling: %s', async (written) => {
    await put({ subject: 'x', ids: [written] }, { subject: `Vedr. ${written}` }, { subject: 'z', ids: ['4101019998'] });
    for (const query of SPELLINGS) expect((await find(query)).toSorted(), query).toEqual([`Vedr. ${written}`, 'x']);
  });

  it.each(CVR_SPELLINGS)('of a company too: %s', async (written) => {
    await put({ subject: 'x', ids: [written] }, { subject: 'z', ids: ['22222223'] });
    for (const query of CVR_SPELLINGS) expect(await find(query), query).toEqual(['x']);
  });

  it('is not found by a part of it', async () => {
    await put({ subject: 'x', ids: ['4101019999', '22222222'] });
    for (const part of ['4101', '410101', '41010199', '410101999', '9999', '2222222', '41010199990']) {
      expect(await find(part), part).toEqual([]);
    }
  });

  it('that is a date finds the date', async () => {
    await put({ subject: 'Møde 20-11-2026' }, { subject: 'Møde 21-11-2026' });
    expect(await find('møde 20.11.2026')).toEqual(['Møde 20-11-2026']);
  });
});

describe('the order', () => {
  beforeEach(() =>
    put(
      ...Array.from({ length: 60 }, (_, week) => ({ subject: `brev ${week}`, weeksAgo: week })),
      { subject: 'sjælden', weeksAgo: 59 },
      { subject: 'brev afvist', weeksAgo: 30, status: 'rejected' },
    ),
  );

  it('is that of receipt, from either end, and stops at what is wanted', async () => {
    expect(await find('sjælden')).toEqual(['sjælden']);
    const newest = await search('brev', { wanted: 3 });
    expect(await Promise.all(newest.ids.map(subjectOf))).toEqual(['brev 0', 'brev 1', 'brev 2']);
    const oldest = await search('brev', { wanted: 2, newestFirst: false });
    expect(await Promise.all(oldest.ids.map(subjectOf))).toEqual(['brev 59', 'brev 58']);
  });

  it.each([true, false])('goes on where it ended, each message once (newest first: %s)', async (newestFirst) => {
    const whole = (await search('brev', { newestFirst, statuses: ['pending', 'rejected'] })).ids;
    expect(whole).toHaveLength(61);
    const parts: string[] = [];
    let beyond: WordSearch['beyond'];
    do {
      const { ids, reached } = await search('brev', {
        newestFirst,
        statuses: ['pending', 'rejected'],
        wanted: 7,
        beyond,
      });
      parts.push(...ids);
      beyond = reached;
    } while (beyond);
    expect(parts).toEqual(whole);
  });

  it('among messages of one moment is that of their ids', async () => {
    await owner.query('TRUNCATE messages, message_words CASCADE');
    const ids = await put(...Array.from({ length: 5 }, () => ({ subject: 'samtidig' })));
    const first = await search('samtidig', { wanted: 2 });
    expect(first.ids).toEqual(ids.toSorted().reverse().slice(0, 2));
    expect((await search('samtidig', { beyond: first.reached })).ids).toEqual(ids.toSorted().reverse().slice(2));
  });

  it('reads only the weeks that are asked for', async () => {
    const weeksAgo = (weeks: number) => new Date(NEWEST.getTime() - weeks * 7 * 86_400_000);
    const { ids } = await search('brev', { since: weeksAgo(12), until: weeksAgo(10) });
    expect(await Promise.all(ids.map(subjectOf))).toEqual(['brev 10', 'brev 11', 'brev 12']);
    for (const at of ['0001-01-01T00:00:00Z', '9999-12-31T00:00:00Z'].map((time) => new Date(time))) {
      expect((await search('brev', { since: at, until: at })).ids).toEqual([]);
      expect((await search('brev', { since: new Date('0001-01-01T00:00:00Z'), until: at })).ids.length).toBe(
        at > NEWEST ? 60 : 0,
      );
    }
  });
});

describe('the words of a message', () => {
  it('move with its status', async () => {
    const [id] = await put({ subject: 'Underretning' });
    for (const status of ['held', 'journalized', 'pending']) {
      await owner.query(
        `UPDATE messages SET status = $2, held_cause = CASE WHEN $2 = 'held' THEN 'conflict' END WHERE id = $1`,
        [id, status],
      );
      for (const other of ['pending', 'held', 'journalized', 'rejected']) {
        expect(await find('underretning', { statuses: [other] })).toEqual(other === status ? ['Underretning'] : []);
      }
    }
    expect(await find('underretning', { statuses: ['pending', 'held', 'journalized', 'rejected'] })).toHaveLength(1);
  });

  it('do not come back with a change after they are removed', async () => {
    const [id] = await put({ subject: 'Underretning', status: 'journalized' });
    await owner.query('DELETE FROM message_words WHERE message_id = $1', [id]);
    await owner.query(`UPDATE messages SET status = 'pending' WHERE id = $1`, [id]);
    expect((await owner.query('SELECT FROM message_words')).rowCount).toBe(0);
    expect(await find('underretning')).toEqual([]);
  });

  it('are in no statistics, where names would outlive a message', async () => {
    await put(...Array.from({ length: 300 }, () => ({ subject: 'Underretning', names: ['Test Testesen'] })));
    await owner.query('ANALYZE message_words');
    const { rows } = await owner.query(
      `SELECT tablename, attname FROM pg_stats WHERE tablename LIKE 'message_words%'
       AND concat(most_common_vals, histogram_bounds, most_common_elems) ~* 'test'`,
    );
    expect(rows).toEqual([]);
  });
});

describe('another municipality', () => {
  it('finds its own only', async () => {
    await put({ subject: 'vores brev' }, { subject: 'deres brev', municipality: VESTERSUND });
    expect(await find('brev')).toEqual(['vores brev']);
    expect(await find('brev', { municipality: VESTERSUND })).toEqual(['deres brev']);
    expect(await find('brev', { municipality: '44444444' })).toEqual([]);
    expect(await find(`${VESTERSUND}p1402:brev`)).toEqual([]);
  });

  async function call(role: string | undefined, municipality: string | undefined): Promise<number | string> {
    const client = new pg.Client({ connectionString: database.url });
    await client.connect();
    try {
      await client.query('BEGIN');
      if (role) await client.query(`SET LOCAL ROLE ${role}`);
      if (municipality !== undefined) {
        await client.query(`SELECT set_config('indbakke.municipality', $1, true)`, [municipality]);
      }
      const found = await client.query(
        `SELECT * FROM search_messages('brev', '{pending,held,journalized,rejected}', true, NULL, NULL, NULL, NULL, 10)`,
      );
      return found.rows.length;
    } catch (error) {
      return (error as { code: string }).code;
    } finally {
      await client.end();
    }
  }

  it('unset finds nothing, and no other role may search', async () => {
    await put({ subject: 'brev' });
    expect(await call('indbakke_app', ODENSKOV)).toBe(1);
    expect(await call('indbakke_app', undefined)).toBe(0);
    expect(await call('indbakke_app', '')).toBe(0);
    for (const role of [undefined, 'indbakke_worker', 'indbakke_queue'])
      expect(await call(role, ODENSKOV)).toBe('42501');
  });

  it('cannot be reached by a table or function of the caller’s', async () => {
    const [definer] = (await owner.query(`SELECT prosecdef, proconfig FROM pg_proc WHERE proname = 'search_messages'`))
      .rows;
    expect(definer).toEqual({
      prosecdef: true,
      proconfig: expect.arrayContaining(['search_path=pg_catalog, public, pg_temp']),
    });
  });
});

describe('a hostile query', () => {
  it.each([
    '',
    ' ',
    '?'.repeat(200),
    "'",
    "''",
    '\\',
    "\\'",
    '&',
    '|',
    '!',
    '<->',
    '<2>',
    ':*',
    '(',
    ')',
    '((((',
    "'; DROP TABLE messages; --",
    '%',
    '$1 {x} %s',
    '\u{1F600}'.repeat(100),
    '\uFEFF\u200B\u00AD',
    '\u0300'.repeat(200),
    'ﷺ'.repeat(200),
    '#',
    '#4101019999x',
    'f98ffddc-c1dd-4442-90a6-e5e0ab9a90f6',
    Array.from({ length: 100 }, (_, n) => n % 10).join(' '),
    'z '.repeat(100),
    '1'.repeat(200),
  ])('finds nothing: %j', async (query) => {
    await put({ subject: 'brev', names: ['Test'], ids: ['4101019999'] });
    expect(await find(query)).toEqual([]);
  });

  it('of operators means its words', async () => {
    await put({ subject: 'brev' }, { subject: 'faktura' });
    expect(await find('brev | faktura')).toEqual([]);
    expect(await find('!faktura')).toEqual(['faktura']);
    expect(await find('bre:* & !faktura')).toEqual([]);
    expect(await find("bre'v")).toEqual([]);
  });

  it('with half a surrogate pair finds nothing; with NUL it never reaches the database', async () => {
    await put({ subject: 'brev' });
    expect(await find('brev \uD800')).toEqual(await find('brev \uFFFD'));
    await expect(search('brev\0')).rejects.toThrow(TypeError);
  });

  it('of many words means the ten longest', async () => {
    await put({ subject: 'abcdefghijkl' });
    const words = Array.from({ length: 10 }, (_, n) => 'abcdefghijkl'.slice(0, n + 3));
    expect(await find(`${words.join(' ')} zz`)).toEqual(['abcdefghijkl']);
    expect(await find(`${words.slice(1).join(' ')} zz`)).toEqual([]);
  });
});
