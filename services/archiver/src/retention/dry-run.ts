import { noSuchMunicipality, type Principal } from '@indbakke/shared/access';
import type { RetentionAnswer, RetentionQuery } from '@indbakke/shared/api';
import { DAY } from '@indbakke/shared/config';
import { daysBefore, hasDueContent, isFlagged, isJournalizedWithContent, type Retention } from '@indbakke/shared/inbox';
import type { Parts } from '@indbakke/shared/service';
import { Prisma } from '@indbakke/shared/store';

const { sql } = Prisma;

interface Row {
  readonly id: string;
  readonly handledAt: string;
  readonly contentSize: number;
}

interface Found {
  readonly count: number;
  readonly contentSize: number;
  readonly underLegalHold: number;
  readonly items: readonly Row[];
}

/**
 * What retention would do now, by the settings or by what is given in their place: with the conditions by which it does it.
 *
 * @throws Problem not-found for a token of an unknown municipality
 */
export async function listRetention(
  { store }: Pick<Parts, 'store'>,
  { municipality }: Principal,
  query: RetentionQuery,
  now: Date,
): Promise<RetentionAnswer> {
  const [settings] = await store.query<Retention & Record<string, unknown>>(
    municipality,
    sql`
      SELECT remove_content_after_days AS "removeContentAfterDays", flag_rejected_after_days AS "flagRejectedAfterDays"
      FROM municipalities WHERE cvr = ${municipality}`,
    'kept',
  );
  if (!settings) throw noSuchMunicipality();
  const removeAfter = query.removeContentAfterDays ?? settings.removeContentAfterDays;
  const flagAfter = query.flagRejectedAfterDays ?? settings.flagRejectedAfterDays;
  const [removeBefore, flagBefore] = [daysBefore(now, removeAfter), daysBefore(now, flagAfter)];
  const [found] = await store.query<{ removals: Found; flagged: Found }>(
    municipality,
    sql`SELECT
      ${foundBy(municipality, isJournalizedWithContent(removeBefore), hasDueContent(removeBefore), query.limit)} AS removals,
      ${foundBy(municipality, isRejectedBefore(flagBefore), isFlagged(flagBefore), query.limit)} AS flagged`,
    'fresh',
  );
  const { removals, flagged } = found as { removals: Found; flagged: Found };
  return {
    at: now.toISOString(),
    contentRemovals: {
      afterDays: removeAfter,
      ...removals,
      items: removals.items.map(({ id, handledAt, contentSize }) => ({
        id,
        journalizedAt: isoOf(handledAt),
        dueAt: daysAfter(handledAt, removeAfter),
        contentSize,
      })),
    },
    flagged: {
      afterDays: flagAfter,
      count: flagged.count,
      underLegalHold: flagged.underLegalHold,
      items: flagged.items.map(({ id, handledAt }) => ({
        id,
        rejectedAt: isoOf(handledAt),
        dueAt: daysAfter(handledAt, flagAfter),
      })),
    },
  };
}

function isRejectedBefore(before: Date | undefined): Prisma.Sql {
  if (!before) return sql`false`;
  return sql`(m.status = 'rejected' AND m.deletion_due_at IS NULL AND m.handled_at < ${before}::timestamptz)`;
}

/** @param old on `messages AS m`: old enough; `due`: and not under a legal hold */
function foundBy(municipality: string, old: Prisma.Sql, due: Prisma.Sql, limit: number): Prisma.Sql {
  const ofMunicipality = sql`m.municipality = ${municipality}`;
  return sql`(
    SELECT json_build_object('count', count(*) FILTER (WHERE NOT m.legal_hold), 'underLegalHold', count(*) FILTER (WHERE m.legal_hold),
      'contentSize', coalesce(sum(m.content_size) FILTER (WHERE NOT m.legal_hold), 0), 'items', (
        SELECT coalesce(json_agg(json_build_object('id', i.id, 'handledAt', i.handled_at, 'contentSize', i.content_size)
          ORDER BY i.handled_at, i.id), '[]')
        FROM (SELECT m.* FROM messages m WHERE ${ofMunicipality} AND ${due} ORDER BY m.handled_at, m.id LIMIT ${limit}::int) AS i))
    FROM messages m WHERE ${ofMunicipality} AND ${old})`;
}

/** PostgreSQL writes the offset and leaves trailing zeros out. */
const isoOf = (time: string) => new Date(time).toISOString();
const daysAfter = (time: string, days: number | null) =>
  new Date(new Date(time).getTime() + (days ?? 0) * DAY).toISOString();
