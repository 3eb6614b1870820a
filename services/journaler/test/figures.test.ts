import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { DELETION } from '../../../infra/src/testkit/inbox-client.js';
import { CONTACT_POINT, startTestStack, type TestStack, VESTERSUND } from '../../../infra/src/testkit/stack.js';
import { EXCEL, FiguresAnswer } from '../../../shared/src/api/index.js';
import { danishDayOf, plusDays } from '../../../shared/src/danish-time/index.js';
import { change, deliverMemo, expectProblem, SYSTEM } from '../../../shared/test/inbox/support.js';
import { writeCsv } from '../src/figures/csv.js';
import { HAS_LIBREOFFICE, readWithPython, showInLibreOffice } from './support/spreadsheets.js';

let stack: TestStack;

beforeAll(async () => {
  stack = await startTestStack();
});

afterAll(() => stack.close());

const LEADER = { user: 'leader-1', roles: ['IndkomneDokumenter.SeAlle'] };

async function figures(from: string, to: string, as: object = LEADER): Promise<FiguresAnswer> {
  const response = await stack.call('GET', `/figures?from=${from}&to=${to}`, { as });
  expect(response.status, await response.clone().text()).toBe(200);
  return FiguresAnswer.parse(await response.json());
}

interface Dated {
  readonly received: string;
  readonly look?: string;
  readonly handled?: string;
  readonly memo?: object;
  readonly status?: string;
}

/** A message with these times; only its columns matter here. */
async function dated({ received, look, handled, memo = {}, status }: Dated): Promise<string> {
  const id = await deliverMemo(stack, memo);
  await stack.sql(
    `UPDATE messages SET received_at = $2, first_read_at = $3, handled_at = $4, status = $5::text,
       held_cause = CASE WHEN $5 = 'held' THEN 'replies-off' END WHERE id = $1`,
    [id, received, look ?? null, handled ?? null, status ?? (handled ? 'journalized' : 'pending')],
  );
  return id;
}

const NO_HOURS = { p50: null, p90: null };
const counts = ({ received, handled, waiting }: FiguresAnswer['total']) => [received, handled, waiting];

describe('the figures', () => {
  const AT_CHILDREN = { memo: { contactPointId: CONTACT_POINT } };

  beforeAll(async () => {
    // The Danish days around the end of summer time: 24 October 2026 ends at 22:00 UTC, the 25th at 23:00 UTC.
    await dated({ received: '2026-10-20T10:00:00Z', handled: '2026-10-25T10:00:00Z', ...AT_CHILDREN });
    await dated({ received: '2026-10-20T10:00:00Z' });
    await dated({ received: '2026-10-24T21:59:00Z' });
    await dated({ received: '2026-10-24T22:01:00Z', ...AT_CHILDREN });
    await dated({ received: '2026-10-25T22:59:00Z', handled: '2026-10-25T23:01:00Z' });
    await dated({ received: '2026-10-25T12:00:00Z', status: 'held' });
    for (const hours of [1, 2, 3, 4]) {
      await dated({ received: '2026-09-01T06:00:00Z', look: `2026-09-01T0${6 + hours}:00:00Z` });
    }
    await dated({ received: '2026-09-01T06:00:00Z', handled: '2026-09-01T18:30:00Z' });
    await dated({ received: '2026-09-01T06:00:00Z' });
    await dated({ received: '2026-10-25T12:00:00Z', memo: { recipient: { id: VESTERSUND } } });
  });

  it('count what was received, handled and waiting by Danish day, without held messages', async () => {
    const { days, total } = await figures('2026-10-24', '2026-10-26');
    const before = 7; // of September and of 20 October
    expect(days.map((day) => [day.day, ...counts(day.total)])).toEqual([
      ['2026-10-24', 1, 0, before + 1],
      ['2026-10-25', 2, 1, before + 2],
      ['2026-10-26', 0, 1, before + 1],
    ]);
    expect(counts(total)).toEqual([3, 2, before + 1]);
  });

  it('count by contact point, of the day and of all days', async () => {
    const { days, contactPoints } = await figures('2026-10-24', '2026-10-26');
    const point = { id: CONTACT_POINT, name: 'Børn og familie' };
    expect(days[1]?.contactPoints.map((each) => [each.contactPoint, ...counts(each)])).toEqual([
      [point, 1, 1, 1],
      [null, 1, 0, 8],
    ]);
    expect(contactPoints.map((each) => [each.contactPoint, ...counts(each)])).toEqual([
      [point, 1, 1, 1],
      [null, 2, 1, 7],
    ]);
  });

  it('tell within how many hours half and nine tenths of a day’s messages were done, once so many are', async () => {
    const [day] = (await figures('2026-09-01', '2026-09-01')).days;
    // Of six: looked at after 1, 2, 3, 4 and 12.5 hours (handled), and one not yet.
    expect(day?.total.hoursToFirstLook).toEqual({ p50: 3, p90: null });
    expect(day?.total.hoursToHandling).toEqual(NO_HOURS);
  });

  it('tell no hours of fewer than five messages', async () => {
    const { days } = await figures('2026-10-25', '2026-10-25');
    expect(days[0]?.total).toMatchObject({ received: 2, hoursToFirstLook: NO_HOURS, hoursToHandling: NO_HOURS });
  });

  it('are of the municipality of the token', async () => {
    const { days } = await figures('2026-10-25', '2026-10-25', { ...LEADER, municipality: VESTERSUND });
    expect(days.map(({ total }) => counts(total))).toEqual([[1, 0, 1]]);
  });

  it('have nothing of a person, a message or a case', async () => {
    const response = await stack.call('GET', '/figures?from=2026-09-01&to=2026-10-26', { as: LEADER });
    const rows = await stack.sql<{ id: string; external_id: string }>('SELECT id, external_id FROM messages');
    const text = await response.text();
    for (const personal of ['4101019999', 'Testesen', 'Henvendelse', ...rows.flatMap((row) => Object.values(row))]) {
      expect(text).not.toContain(personal);
    }
  });

  it('end today', async () => {
    const today = danishDayOf(new Date());
    const { at, days } = await figures(plusDays(today, -1), plusDays(today, 300));
    expect(days.at(-1)?.day).toBe(danishDayOf(new Date(at)));
  });

  it.each([
    ['from=2024-10-01', 'query.from'],
    ['from=2999-10-01', 'query.from'],
    ['from=2026-10-02&to=2026-10-01', 'query.to'],
    ['from=2025-01-01&to=2026-10-01', 'query.to'],
    ['from=2026-02-30&to=2026-10-01', 'query.from'],
    ['from=0000-01-01&to=0000-01-02', 'query.from'],
    ['from=2026-10-01&to=2026-10-01&status=pending', 'query.status'],
  ])('are refused for %s', async (query, path) => {
    expect(
      await expectProblem(await stack.call('GET', `/figures?${query}`, { as: LEADER }), 400, 'bad-request'),
    ).toMatchObject({ path });
  });

  it('are of the last 30 days when nobody says of which', async () => {
    const response = await stack.call('GET', '/figures', { as: LEADER });
    const { days } = FiguresAnswer.parse(await response.json());
    const { days: asked } = await figures(days[0]?.day ?? '', days[29]?.day ?? '');
    expect(days).toHaveLength(30);
    expect(asked).toEqual(days);
  });

  it('span at most 400 days', async () => {
    expect((await figures('2025-01-01', '2026-02-04')).days).toHaveLength(400);
    const response = await stack.call('GET', '/figures?from=2025-01-01&to=2026-02-05', { as: LEADER });
    await expectProblem(response, 400, 'bad-request');
  });

  it.each(['/figures', '/figures.csv', '/figures.xlsx'])('%s requires the role SeAlle', async (path) => {
    const response = await stack.call('GET', `${path}?from=2026-10-01&to=2026-10-01`, {
      as: { roles: ['IndkomneDokumenter.Læs'] },
    });
    await expectProblem(response, 403, 'role-missing');
  });
});

describe('as CSV', () => {
  it('they are text that Danish Excel reads: byte order mark, semicolons, commas in numbers', async () => {
    const response = await stack.call('GET', '/figures.csv?from=2026-09-01&to=2026-09-01', { as: LEADER });
    expect(response.headers.get('content-type')).toBe('text/csv; charset=utf-8');
    expect(response.headers.get('content-disposition')).toMatch(
      /^attachment; filename=indkomne-dokumenter-tal-\d{4}-\d\d-\d\d\.csv$/,
    );
    const bytes = Buffer.from(await response.arrayBuffer());
    expect(bytes.subarray(0, 3).toString('hex')).toBe('efbbbf');
    expect(bytes.subarray(3).toString('utf8').split('\r\n')).toEqual([
      'Dag;Kontaktpunkt;Modtaget;Behandlet;Venter ved dagens slutning;Timer til første visning, halvdelen;Timer til første visning, 90 %;Timer til behandling, halvdelen;Timer til behandling, 90 %',
      '2026-09-01;I alt;6;1;5;3;;;',
      '2026-09-01;Uden kontaktpunkt;6;1;5;3;;;',
      '',
    ]);
  });

  it('a name of a contact point is neither a formula nor another cell', () => {
    const columns = [{ heading: 'x', width: 1, format: 'text', of: (value: string | number) => value }] as const;
    const names = ['=1+1', '+1', '-1', '@a', '\ta', '\ra', 'a;b', 'a"b', 'a\nb', 'a-1', 2.5, -2.5];
    expect(writeCsv(columns, names)).toBe(
      `\ufeffx\r\n'=1+1\r\n'+1\r\n'-1\r\n'@a\r\n'\ta\r\n"'\ra"\r\n"a;b"\r\n"a""b"\r\n"a\nb"\r\na-1\r\n2,5\r\n-2,5\r\n`,
    );
  });
});

describe('as an Excel file', () => {
  async function file(): Promise<Buffer> {
    const response = await stack.call('GET', '/figures.xlsx?from=2026-10-24&to=2026-10-26', { as: LEADER });
    expect(response.headers.get('content-type')).toBe(EXCEL);
    return Buffer.from(await response.arrayBuffer());
  }

  it('they have days as dates and counts as numbers', async () => {
    const { rows, formats } = await readWithPython(await file());
    const [day, point, received] = rows[1] ?? [];
    expect(rows[0]?.slice(0, 3).map(({ text }) => text)).toEqual(['Dag', 'Kontaktpunkt', 'Modtaget']);
    expect(day).toMatchObject({
      type: 'n',
      text: String((Date.UTC(2026, 9, 24) - Date.UTC(1899, 11, 30)) / 86_400_000),
    });
    expect(formats[Number(day?.style)]).toBe('dd-mm-yyyy');
    expect([point?.text, received]).toMatchObject(['I alt', { type: 'n', text: '1' }]);
  });

  it.runIf(HAS_LIBREOFFICE)('they are shown by LibreOffice', { tags: 'long' }, async () => {
    const rows = await showInLibreOffice(await file());
    expect(rows[1]?.slice(0, 5)).toEqual(['24-10-2026', 'I alt', '1', '0', '8']);
    expect(rows.flat()).toContain('Børn og familie');
  });
});

describe('the times of a message', () => {
  const timesOf = async (id: string) => {
    const [row] = await stack.sql<{ look: Date | null; handled: Date | null; version: number }>(
      'SELECT first_read_at AS look, handled_at AS handled, version FROM messages WHERE id = $1',
      [id],
    );
    return row;
  };

  it.each(['', '/files/:file', '/zip'])('the first look is when a user first reads it%s, once', async (what) => {
    const id = await deliverMemo(stack);
    const [file] = await stack.sql<{ id: string }>('SELECT id FROM files WHERE message_id = $1', [id]);
    const look = () => stack.call('GET', `/incoming-documents/${id}${what.replace(':file', file?.id ?? '')}`);
    expect((await timesOf(id))?.look).toBeNull();
    await (await look()).arrayBuffer();
    const first = await timesOf(id);
    expect(first).toMatchObject({ look: expect.any(Date), version: 1 });
    await (await look()).arrayBuffer();
    expect(await timesOf(id)).toEqual(first);
  });

  it('the first look is no system’s, nor one at a file that the message does not have', async () => {
    const id = await deliverMemo(stack);
    const roles = ['IndkomneDokumenter.Læs', 'IndkomneDokumenter.SeAlle'];
    const read = await stack.call('GET', `/incoming-documents/${id}`, { as: { ...SYSTEM, roles } });
    expect(read.status).toBe(200);
    await expectProblem(await stack.call('GET', `/incoming-documents/${id}/files/${id}`), 404, 'not-found');
    expect((await timesOf(id))?.look).toBeNull();
  });

  it('it is handled when it is journalized or rejected, until that is undone', async () => {
    const id = await deliverMemo(stack);
    const filing = { body: { reason: 'unwanted', explanation: 'Ikke til os' } };
    await change(stack, 'POST', `${id}/rejection`, { version: 1, ...filing });
    const { handled } = (await timesOf(id)) ?? {};
    expect(handled).toBeInstanceOf(Date);
    await change(stack, 'DELETE', `${id}/rejection`, { version: 2 });
    expect((await timesOf(id))?.handled).toBeNull();
    await change(stack, 'POST', `${id}/rejection`, { version: 3, ...filing });
    const again = (await timesOf(id))?.handled;
    await change(stack, 'POST', `${id}/deletion`, { version: 4, body: DELETION });
    expect((await timesOf(id))?.handled).toEqual(again);
  });
});
