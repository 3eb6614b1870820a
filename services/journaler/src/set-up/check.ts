import { randomInt } from 'node:crypto';
import type { Principal } from '@indbakke/shared/access';
import type { CheckWarning, ContactPointCheck, OPERATIONS } from '@indbakke/shared/api';
import { insertAudit } from '@indbakke/shared/audit';
import { currentTime } from '@indbakke/shared/clock';
import { HOUR, MINUTE } from '@indbakke/shared/config';
import type { Call } from '@indbakke/shared/http';
import { once } from '@indbakke/shared/idempotency';
import { searchMessages } from '@indbakke/shared/inbox';
import type { HeldCause, Status } from '@indbakke/shared/lifecycle';
import type { Parts } from '@indbakke/shared/service';
import { Prisma, run } from '@indbakke/shared/store';
import { IS_TRAINING } from '@indbakke/shared/training';
import { STEPS_UPSTREAM, sentencesOf } from './check-words.js';
import { CONTACT_POINTS } from './contact-points.js';
import { noSuch } from './entries.js';

const { sql } = Prisma;

type CheckParts = Pick<Parts, 'store'>;

/** When a letter that has not come is looked for upstream: Digital Post delivers in minutes. */
const MISSING_AFTER = HOUR;
// Without vowels, so that no word comes about, and without letters that look like others.
const LETTERS = 'bcdfghjkmnpqrstvwxz';
const RANDOM_LETTERS = 7;
/** Of so many letters that can be answered, somebody answers one within a week. */
const MANY_LETTERS = 20;
const SHOWN: readonly Status[] = ['pending', 'held', 'journalized', 'rejected'];

/** Begins a check in place of the one before. @throws Problem not-found, key-reused */
export async function startCheck(
  { store }: CheckParts,
  { principal, params: { contactPointId: id }, at, idempotencyKey }: Call<typeof OPERATIONS.startContactPointCheck>,
): Promise<ContactPointCheck> {
  const { municipality, actor } = principal;
  await store.withTenantConnection(municipality, (connection) =>
    once(connection, municipality, idempotencyKey, async () => {
      const code = `kontrol${Array.from({ length: RANDOM_LETTERS }, () => LETTERS[randomInt(LETTERS.length)]).join('')}`;
      const entry = {
        by: principal,
        at,
        action: 'contact-point-check-started',
        details: { contactPoint: id },
      } as const;
      const started = await run(
        connection,
        sql`
          WITH started AS (
            INSERT INTO contact_point_checks AS c (municipality, contact_point_id, code, started_at, started_by)
            SELECT municipality, contact_point_id, ${code}, ${at}::timestamptz, ${actor.id} FROM contact_points
            WHERE municipality = ${municipality} AND contact_point_id = ${id} AND removed_at IS NULL
            ON CONFLICT (municipality, contact_point_id) DO UPDATE
            SET code = excluded.code, started_at = excluded.started_at, started_by = excluded.started_by
            RETURNING 1
          ) ${insertAudit(entry)} FROM started RETURNING 1`,
      );
      if (started.length === 0) throw noSuch(CONTACT_POINTS);
      return {};
    }),
  );
  return readCheck({ store }, principal, id);
}

interface Row {
  readonly id: string;
  readonly name: string;
  readonly visibleTo: readonly string[];
  readonly isActive: boolean;
  readonly code: string | null;
  readonly startedAt: Date;
  readonly startedBy: string;
  readonly lastReceivedAt: Date | null;
  readonly last24Hours: number;
  readonly last7Days: number;
  readonly last30Days: number;
  readonly held: number;
  /** Letters whose answers go there, set up 7 to 60 days ago and not failed; at most MANY_LETTERS. */
  readonly lettersSent: number;
  readonly hasReplies: boolean;
  readonly isTraining: boolean;
  /** So many came in the same time of each of the four weeks before, as nothing has come now. */
  readonly usual: readonly number[];
}

/** @throws Problem not-found */
export async function readCheck({ store }: CheckParts, principal: Principal, id: string): Promise<ContactPointCheck> {
  const { municipality } = principal;
  const [row] = await store.query<Row>(municipality, stateOf(municipality, id), 'kept');
  if (!row) throw noSuch(CONTACT_POINTS);
  const check = row.code === null ? null : await readArrival({ store }, municipality, row.code, row);
  const { last24Hours, last7Days, last30Days, held } = row;
  return {
    contactPoint: { id, name: row.name },
    check,
    lastReceivedAt: row.lastReceivedAt?.toISOString() ?? null,
    received: { last24Hours, last7Days, last30Days },
    held,
    warnings: warningsOf(row, check).map((code) => ({ code, ...sentencesOf(code, row) })),
    steps: check?.status === 'arrived' || row.isTraining ? [] : STEPS_UPSTREAM,
  };
}

function stateOf(municipality: string, id: string): Prisma.Sql {
  const received = sql`m.municipality = ${municipality} AND m.contact_point_id = ${id} AND m.status = ANY (${[...SHOWN]}::text[])`;
  return sql`
    SELECT p.contact_point_id AS id, p.name, p.visible_to AS "visibleTo", p.is_active AS "isActive", c.code,
      c.started_at AS "startedAt", c.started_by AS "startedBy", last.at AS "lastReceivedAt", lately.*, letters.*,
      coalesce(usual.counts, '{}') AS usual, ${IS_TRAINING} AS "isTraining"
    FROM contact_points p
    LEFT JOIN contact_point_checks c ON c.municipality = p.municipality AND c.contact_point_id = p.contact_point_id,
    LATERAL (
      SELECT max(at) AS at FROM unnest(${[...SHOWN]}::text[]) AS s (status), LATERAL (
        SELECT received_at AS at FROM messages m
        WHERE m.municipality = ${municipality} AND m.contact_point_id = ${id} AND m.status = s.status
        ORDER BY received_at DESC, id DESC LIMIT 1) AS newest
    ) AS last,
    LATERAL (
      SELECT count(*) FILTER (WHERE received_at > now() - interval '24 hours')::int AS "last24Hours",
        count(*) FILTER (WHERE received_at > now() - interval '7 days')::int AS "last7Days",
        count(*) FILTER (WHERE received_at > now() - interval '30 days')::int AS "last30Days",
        (SELECT count(*)::int FROM messages m WHERE m.municipality = ${municipality} AND m.contact_point_id = ${id} AND m.status = 'held') AS held
      FROM messages m WHERE ${received} AND received_at > now() - interval '30 days'
    ) AS lately,
    LATERAL (
      SELECT count(*)::int AS "lettersSent", EXISTS (
          SELECT FROM messages m WHERE ${received} AND m.kind = 'reply' AND m.received_at > now() - interval '60 days') AS "hasReplies"
      FROM (
        SELECT FROM sent_messages s
        WHERE s.municipality = ${municipality} AND s.contact_point_id = ${id} AND s.delivery IS DISTINCT FROM 'failed'
          AND s.set_up_at > now() - interval '60 days' AND s.set_up_at < now() - interval '7 days'
        LIMIT ${MANY_LETTERS}::int) AS sent
    ) AS letters,
    LATERAL (
      SELECT array_agg(count) AS counts FROM generate_series(1, 4) AS week, LATERAL (
        SELECT count(*)::int FROM messages m
        WHERE ${received} AND received_at <= now() - make_interval(weeks => week)
          AND received_at > now() - make_interval(weeks => week) - least(now() - last.at, interval '7 days')) AS counted
    ) AS usual
    WHERE p.municipality = ${municipality} AND p.contact_point_id = ${id} AND p.removed_at IS NULL`;
}

type Check = NonNullable<ContactPointCheck['check']>;

async function readArrival(
  { store }: CheckParts,
  municipality: string,
  code: string,
  { startedAt, startedBy }: Pick<Row, 'startedAt' | 'startedBy'>,
): Promise<Check> {
  const search = { query: code, statuses: SHOWN, newestFirst: false, since: startedAt, until: undefined, wanted: 1 };
  const { ids } = await searchMessages(store, municipality, { ...search, beyond: undefined });
  const [found] = await store.query<Found>(
    municipality,
    sql`
      SELECT m.id, m.received_at AS at, m.status, m.held_cause AS "heldCause", m.contact_point_id AS "contactPointId",
        (SELECT name FROM contact_points WHERE municipality = m.municipality AND contact_point_id = m.contact_point_id) AS name
      FROM messages m WHERE m.municipality = ${municipality} AND m.id = ANY (${[...ids]}::uuid[])`,
    'kept',
  );
  const isLate = currentTime().getTime() - startedAt.getTime() > MISSING_AFTER;
  return {
    code,
    startedAt: startedAt.toISOString(),
    startedBy,
    status: found ? 'arrived' : isLate ? 'missing' : 'waiting',
    arrival: found
      ? {
          at: found.at.toISOString(),
          minutes: Math.max(0, Math.floor((found.at.getTime() - startedAt.getTime()) / MINUTE)),
          messageId: found.id,
          contactPoint: found.contactPointId === null ? null : { id: found.contactPointId, name: found.name },
          status: found.status,
          heldCause: found.heldCause,
        }
      : null,
  };
}

interface Found {
  readonly id: string;
  readonly at: Date;
  readonly status: Status;
  readonly heldCause: HeldCause | null;
  readonly contactPointId: string | null;
  readonly name: string | null;
}

/** A silence is unusual where three messages came in such a time on average, and some each week. */
const USUAL = 3;

function warningsOf(row: Row, check: Check | null): CheckWarning[] {
  const { usual } = row;
  const average = usual.reduce((sum, count) => sum + count, 0) / Math.max(1, usual.length);
  const isSilent = average >= USUAL && usual.every((count) => count > 0);
  const elsewhere = check?.arrival && check.arrival.contactPoint?.id !== row.id;
  const isReal = !row.isTraining; // nothing comes to a training municipality from Digital Post
  const found: Record<CheckWarning, boolean> = {
    'not-visible': row.isActive && row.visibleTo.length === 0,
    'arrived-elsewhere': Boolean(elsewhere),
    'never-received': isReal && row.lastReceivedAt === null,
    'no-replies': isReal && row.lettersSent >= MANY_LETTERS && !row.hasReplies,
    silent: isReal && isSilent,
    held: isReal && row.held > 0,
  };
  return (Object.keys(found) as CheckWarning[]).filter((code) => found[code]);
}
