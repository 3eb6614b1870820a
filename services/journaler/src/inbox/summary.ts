import type { Principal } from '@indbakke/shared/access';
import type { DocumentCounts, SummaryQuery } from '@indbakke/shared/api';
import { Prisma, type Store } from '@indbakke/shared/store';
import type { z } from 'zod';
import { ASSESSMENT_OPEN, CONCERN_DUE, CONFIRMATION_OPEN, candidates } from './filter.js';

const { sql } = Prisma;

/** So many of a status are counted, the newest first. What waits is bounded by the people who handle it; the history is not. */
const MOST = { pending: 10_000, held: 10_000, journalized: 1_000, rejected: 1_000 };
const AGES = ['PT0H', 'P1D', 'P3D', 'P7D', 'P14D', 'P30D'];

type Counts = Omit<DocumentCounts, 'at' | 'concern'> & {
  readonly nextDue: string | null;
  readonly open: number;
  readonly assessOverdue: number;
  readonly confirmOverdue: number;
};

/** Counts what the caller sees: for a front page, and for those who follow up. */
export async function summarizeDocuments(
  store: Store,
  principal: Principal,
  filter: z.infer<typeof SummaryQuery>,
  at: Date,
): Promise<DocumentCounts> {
  const statement = countsOf(principal, filter);
  const [row] = await store.query<{ counts: Counts }>(principal.municipality, statement, 'fresh');
  const { nextDue, open, assessOverdue, confirmOverdue, ...counts } = (row as { counts: Counts }).counts;
  const due = nextDue === null ? null : new Date(nextDue).toISOString();
  return { at: at.toISOString(), ...counts, concern: { open, assessOverdue, confirmOverdue, nextDue: due } };
}

/** One statement: the messages are read once and counted in each group. */
export function countsOf(principal: Principal, filter: z.infer<typeof SummaryQuery>): Prisma.Sql {
  const found = candidates(principal, { ...filter, sort: '-receivedAt' }, { limit: oneMore(MOST) });
  const group = (name: string, columns: Prisma.Sql, fields: Prisma.Sql, where = sql`true`) => sql`
    ${name}, (SELECT coalesce(json_agg(json_build_object(${fields}, 'count', count) ORDER BY count DESC, ${columns}), '[]')
      FROM (SELECT ${columns}, count(*) AS count FROM found WHERE ${where} GROUP BY ${columns}) AS grouped)`;
  const number = (name: string, where: Prisma.Sql) => sql`${name}, (SELECT count(*) FROM found m WHERE ${where})`;
  const waits = sql`m.status IN ('pending', 'held')`;
  return sql`
    WITH ranked AS MATERIALIZED (
      SELECT m.status, m.kind, m.contact_point_id, m.assignee_kind, m.assignee_id, m.received_at, m.late, m.reply_by,
        m.concern_marked_at, m.concern_assess_by, m.concern_assessed_at, m.concern_confirm_by, m.concern_confirmed_at,
        row_number() OVER (PARTITION BY m.status ORDER BY m.received_at DESC) AS rank,
        (${JSON.stringify(MOST)}::json ->> m.status)::int AS most
      FROM ${found} AS part JOIN messages m USING (id)
    ), found AS MATERIALIZED (SELECT * FROM ranked WHERE rank <= most)
    SELECT json_build_object(
      'total', (SELECT count(*) FROM found),
      'isMore', EXISTS (SELECT FROM ranked WHERE rank > most),
      ${group('status', sql`status`, sql`'status', status`)},
      ${group('kind', sql`kind`, sql`'kind', kind`)},
      'contactPoint', (SELECT coalesce(json_agg(json_build_object('id', contact_point_id, 'name',
          (SELECT name FROM contact_points p WHERE p.municipality = ${principal.municipality} AND p.contact_point_id = grouped.contact_point_id),
          'count', count) ORDER BY count DESC, contact_point_id), '[]')
        FROM (SELECT contact_point_id, count(*) AS count FROM found GROUP BY contact_point_id) AS grouped),
      ${group('assignee', sql`assignee_id`, sql`'id', assignee_id`, sql`assignee_kind IS DISTINCT FROM 'team'`)},
      ${group('team', sql`assignee_id`, sql`'id', assignee_id`, sql`assignee_kind = 'team'`)},
      'age', (SELECT json_agg(json_build_object('olderThan', age, 'count', (
            SELECT count(*) FROM found m WHERE m.received_at <= now() - age::interval AND (next IS NULL OR m.received_at > now() - next::interval)
          )) ORDER BY n)
        FROM (SELECT age, n, lead(age) OVER (ORDER BY n) AS next FROM unnest(${AGES}::text[]) WITH ORDINALITY AS a (age, n)) AS ages),
      ${number('late', sql`m.late`)},
      ${number('replyOverdue', sql`${waits} AND NOT m.late AND m.reply_by < now()`)},
      ${number('open', sql`${CONCERN_DUE} IS NOT NULL`)},
      ${number('assessOverdue', sql`${ASSESSMENT_OPEN} AND m.concern_assess_by < now()`)},
      ${number('confirmOverdue', sql`${CONFIRMATION_OPEN} AND m.concern_confirm_by < now()`)},
      'nextDue', (SELECT min(${CONCERN_DUE}) FROM found m)
    ) AS counts`;
}

/** One more than is counted shows that there are more. */
function oneMore(most: Readonly<Record<string, number>>): Record<string, number> {
  return Object.fromEntries(Object.entries(most).map(([status, count]) => [status, count + 1]));
}
