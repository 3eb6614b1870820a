import { type Principal, visibleTo } from '@indbakke/shared/access';
import type { DocumentCounts, DocumentFilter } from '@indbakke/shared/api';
import { DAY } from '@indbakke/shared/config';
import { flaggedAt } from '@indbakke/shared/inbox';
import { isWaiting } from '@indbakke/shared/lifecycle';
import { Prisma, type Store } from '@indbakke/shared/store';
import { IS_TRAINING } from '@indbakke/shared/training';
import { filtersOf, rangeOf } from './filter.js';
import { someOf } from './page.js';
import { CONCERN_OPEN, OUTCOME_OPEN } from './walk.js';

const { sql } = Prisma;

/**
 * What is counted of each status. What waits, also for its outcome to be told, is bounded by the people who handle it, and the
 * oldest matter most; what is done grows without end, and the newest show how it goes.
 */
const WAITING = { sort: 'receivedAt', most: 10_000 } as const;
const DONE = { sort: '-receivedAt', most: 1_000 } as const;

/** Ages in days, youngest first. */
const AGES = [0, 1, 3, 7, 14, 30];

type Counts = Omit<DocumentCounts, 'at' | 'age' | 'concern' | 'deletion'> & {
  readonly concern: Omit<DocumentCounts['concern'], 'nextDue'>;
  /** By place in AGES. */
  readonly age: readonly { readonly age: number; readonly count: number }[];
  readonly nextDue: Date | null;
  readonly deletion: Omit<DocumentCounts['deletion'], 'nextDue'>;
  readonly nextDestroyed: Date | null;
};

/** Counts the messages that the caller may see, in one statement that reads each once. */
export async function summarizeDocuments(
  store: Store,
  principal: Principal,
  filter: DocumentFilter,
  now: Date,
): Promise<DocumentCounts> {
  const [counts] = await store.reading((reader) =>
    reader.query<Counts>(principal.municipality, countsOf(principal, filter, now), 'fresh'),
  );
  const { age, nextDue, concern, deletion, nextDestroyed, ...others } = counts as Counts;
  return {
    at: now.toISOString(),
    ...others,
    age: AGES.map((days, at) => ({
      olderThan: `P${days}D`,
      count: age.find((group) => group.age === at + 1)?.count ?? 0,
    })),
    concern: { ...concern, nextDue: nextDue?.toISOString() ?? null },
    deletion: { ...deletion, nextDue: nextDestroyed?.toISOString() ?? null },
  };
}

export function countsOf(principal: Principal, filter: DocumentFilter, now: Date): Prisma.Sql {
  const rows = someOf(
    principal,
    filter,
    (status) => (isWaiting(status) || filter.outcome === 'open' ? WAITING : DONE),
    now,
  );
  const at = sql`${now}::timestamptz`;
  // Later times are younger; width_bucket counts the thresholds that are passed.
  const thresholds = AGES.map((days) => new Date(now.getTime() - days * DAY).toISOString());
  const age = sql`${AGES.length}::int - width_bucket(received_at, ${[...thresholds].reverse()}::timestamptz[])`;
  return sql`
    WITH found AS MATERIALIZED (
      SELECT m.municipality, m.status, m.kind, m.contact_point_id, m.assignee_kind, m.assignee_id, m.late, m.reply_by,
        m.received_at, m.legal_hold, m.deletion_requested_at, m.deletion_due_at, ${CONCERN_OPEN} AS is_open, ${OUTCOME_OPEN} AS is_outcome_open,
        CASE WHEN m.concern_assessed_at IS NULL THEN m.concern_assess_by END AS assess_by,
        CASE WHEN m.concern_confirmed_at IS NULL THEN m.concern_confirm_by END AS confirm_by, m.counts, m."isMore"
      FROM (${rows}) AS m
    ), counted AS NOT MATERIALIZED (
      SELECT * FROM found WHERE counts
    ), total AS (
      SELECT count(*)::int AS total, count(*) FILTER (WHERE late)::int AS late,
        count(*) FILTER (WHERE NOT late AND status IN ('pending', 'held') AND reply_by < ${at})::int AS "replyOverdue",
        count(*) FILTER (WHERE is_outcome_open)::int AS "outcomeOpen",
        count(*) FILTER (WHERE is_open)::int AS open, count(*) FILTER (WHERE assess_by < ${at})::int AS assess_overdue,
        count(*) FILTER (WHERE confirm_by < ${at})::int AS confirm_overdue,
        count(*) FILTER (WHERE legal_hold)::int AS "legalHold",
        count(*) FILTER (WHERE deletion_requested_at IS NOT NULL AND deletion_due_at IS NULL)::int AS requested,
        count(deletion_due_at)::int AS scheduled, min(deletion_due_at) AS "nextDestroyed",
        least(min(assess_by) FILTER (WHERE assess_by >= ${at}), min(confirm_by) FILTER (WHERE confirm_by >= ${at})) AS "nextDue"
      FROM counted
    )
    SELECT total, late, "replyOverdue", "outcomeOpen", (${flagged(principal, filter, now)}) AS flagged, "nextDue", "legalHold", "nextDestroyed", ${IS_TRAINING} AS "isTraining",
      json_build_object('open', open, 'assessOverdue', assess_overdue, 'confirmOverdue', confirm_overdue) AS concern,
      json_build_object('requested', requested, 'scheduled', scheduled) AS deletion,
      EXISTS (SELECT FROM found WHERE "isMore") AS "isMore",
      ${groups(sql`status`, sql`SELECT status, count(*) AS count FROM counted GROUP BY status`)},
      ${groups(sql`kind`, sql`SELECT kind, count(*) AS count FROM counted GROUP BY kind`)},
      ${groups(
        sql`"contactPoint"`,
        sql`
          SELECT contact_point_id AS id, count, (
            SELECT name FROM contact_points p WHERE p.municipality = g.municipality AND p.contact_point_id = g.contact_point_id)
          FROM (SELECT municipality, contact_point_id, count(*) AS count FROM counted GROUP BY 1, 2) AS g`,
      )},
      ${groups(
        sql`assignee`,
        sql`
          SELECT assignee_id AS id, count(*) AS count FROM counted
          WHERE assignee_kind IS DISTINCT FROM 'team' GROUP BY assignee_id`,
      )},
      ${groups(
        sql`team`,
        sql`SELECT assignee_id AS id, count(*) AS count FROM counted WHERE assignee_kind = 'team' GROUP BY assignee_id`,
      )},
      ${groups(sql`age`, sql`SELECT age, count(*) AS count FROM (SELECT ${age} AS age FROM counted) AS a GROUP BY age`)}
    FROM total`;
}

/**
 * Of all statuses that are asked for or not, since those who delete look for them; and by an index of its own, since the others are
 * counted from the newest on, and these are the oldest.
 */
function flagged(principal: Principal, filter: DocumentFilter, now: Date): Prisma.Sql {
  const { from, before } = rangeOf(filter, now);
  const conditions = [
    visibleTo(principal),
    flaggedAt(now),
    ...filtersOf(filter, principal, { now }).map(({ condition }) => condition),
    ...(from ? [sql`m.received_at >= ${from}::timestamptz`] : []),
    ...(before ? [sql`m.received_at < ${before}::timestamptz`] : []),
  ];
  return sql`
    SELECT count(*)::int FROM (
      SELECT FROM messages m WHERE ${Prisma.join(conditions, ' AND ')} LIMIT ${WAITING.most}::int) AS f`;
}

/** The groups as JSON, the largest first; equal ones always in the same order. */
function groups(name: Prisma.Sql, select: Prisma.Sql): Prisma.Sql {
  return sql`(SELECT coalesce(json_agg(g ORDER BY count DESC, to_json(g)::text COLLATE "C"), '[]') FROM (${select}) AS g) AS ${name}`;
}
