import type { AuditEvent, AuditFilter, AuditSearchBody } from '@indbakke/shared/api';
import { type AuditEntry, citizensOf, insertAudit } from '@indbakke/shared/audit';
import type { KeyRing } from '@indbakke/shared/keys';
import type { Parts } from '@indbakke/shared/service';
import { Prisma } from '@indbakke/shared/store';
import { readCursor, writeCursor } from '../inbox/cursor.js';

const { sql } = Prisma;

export type LogParts = Pick<Parts, 'store' | 'keys'>;

/** A row of the log, with the dates of its message. */
export interface LogRow extends Omit<AuditEvent, 'at'> {
  readonly at: Date;
  readonly receivedAt: Date | null;
  readonly letterAt: Date | null;
}

interface Position {
  readonly time: string;
  readonly id: string;
}

/** One page of the log, newest first. The log has a row of this, too. */
export async function listAuditEvents(
  { store, keys }: LogParts,
  by: AuditEntry['by'],
  { limit, cursor, ...filter }: AuditSearchBody,
  path: string,
): Promise<{ items: AuditEvent[]; nextCursor: string | null }> {
  const from = cursor === undefined ? undefined : readCursor(keys, filter, cursor, path);
  const rows = rowsOf(keys, by.municipality, filter, { from, newestFirst: true, most: limit + 1 });
  const shown = sql`(SELECT jsonb_build_object('shown', least(count(*), ${limit}::int)) FROM found)`;
  const audit = insertAudit(auditOf(keys, by, 'log-searched', filter), { details: shown });
  const found = await store.query<LogRow>(
    by.municipality,
    sql`WITH found AS MATERIALIZED (${rows}), audit AS (${audit}) SELECT * FROM found ORDER BY at DESC, id DESC`,
    'kept',
  );
  const items = found
    .slice(0, limit)
    .map(({ receivedAt: _, letterAt: __, at, ...row }) => ({ ...row, at: at.toISOString() }));
  const last = items.at(-1);
  const isLast = found.length <= limit || !last;
  return {
    items,
    nextCursor: isLast ? null : writeCursor(keys, filter, { isTimeless: false, time: last.at, id: last.id }),
  };
}

// A page is a round trip; in memory it takes about a megabyte.
const PAGE = 1_000;

/** All rows of a filter, oldest first: only one page is in memory. What is written meanwhile may be among them. */
export async function* readLog(
  { store, keys }: LogParts,
  municipality: string,
  filter: AuditFilter,
): AsyncGenerator<LogRow> {
  let from: Position | undefined;
  for (;;) {
    const rows = rowsOf(keys, municipality, filter, { from, newestFirst: false, most: PAGE });
    const page = await store.query<LogRow>(municipality, sql`${rows} ORDER BY at, id`, 'kept');
    yield* page;
    const last = page.at(-1);
    if (page.length < PAGE || !last) return;
    from = { time: last.at.toISOString(), id: last.id };
  }
}

/** The audit row of a reading of the log. */
export function auditOf(
  keys: KeyRing,
  by: AuditEntry['by'],
  action: 'log-searched' | 'log-exported' | 'log-sheet-made',
  { citizen, message, ...filter }: AuditFilter,
): AuditEntry {
  const given = Object.entries({ citizen, message, ...filter }).filter(([, value]) => value !== undefined);
  const [digest] = citizensOf(keys, [citizen]);
  return {
    by,
    at: new Date(),
    action,
    messageId: message,
    citizen: digest === undefined ? undefined : Buffer.from(digest, 'hex'),
    details: {
      filters: given
        .map(([name]) => name)
        .sort()
        .join(' '),
    },
  };
}

interface Page {
  /** The last row of the page before. */
  readonly from: Position | undefined;
  readonly newestFirst: boolean;
  readonly most: number;
}

/** The first rows of a filter in their order, each once: read by the filter that leaves fewest, which has an index. */
function rowsOf(
  keys: KeyRing,
  municipality: string,
  filter: AuditFilter,
  { from, newestFirst, most }: Page,
): Prisma.Sql {
  const [direction, beyond] = newestFirst ? [sql`DESC`, sql`<`] : [sql`ASC`, sql`>`];
  const [narrowest = [sql`true`], ...others] = conditionsOf(keys, municipality, filter);
  const common = [
    sql`a.municipality = ${municipality}`,
    ...(filter.from ? [sql`a.at >= ${filter.from}::timestamptz`] : []),
    ...(filter.to ? [sql`a.at < ${filter.to}::timestamptz`] : []),
    ...(from ? [sql`(a.at, a.id) ${beyond} (${from.time}::timestamptz, ${from.id}::uuid)`] : []),
    ...others.map((parts) => Prisma.join(parts.map(conditionOf), ' OR ', '(', ')')),
  ];
  const first = (where: Prisma.Sql) => sql`
    SELECT a.* FROM audit_events a WHERE ${Prisma.join([where, ...common], ' AND ')}
    ORDER BY a.at ${direction}, a.id ${direction} LIMIT ${most}::int`;
  // Each message is walked by itself: given their ids as a list, PostgreSQL may walk the months instead.
  const walks = narrowest.map((part) =>
    'messages' in part
      ? sql`(SELECT a.* FROM (${part.messages}) AS s CROSS JOIN LATERAL (${first(sql`a.message_id = s.message_id`)}) AS a)`
      : sql`(${first(part)})`,
  );
  return sql`
    SELECT a.id, a.at, json_build_object('kind', a.actor_kind, 'id', a.actor, 'onBehalfOf', a.on_behalf_of) AS actor, a.role,
      a.origin, a.action, a.result, a.message_id AS "messageId", a.details, a.position::float8 AS position,
      m.received_at AS "receivedAt", m.letter_at AS "letterAt"
    FROM (
      SELECT * FROM (${Prisma.join(walks, ' UNION ALL ')}) AS a ORDER BY a.at ${direction}, a.id ${direction} LIMIT ${most}::int
    ) AS a
    LEFT JOIN LATERAL (SELECT received_at, letter_at FROM messages WHERE id = a.message_id LIMIT 1) AS m ON true`;
}

/** Rows of the messages that a statement selects. */
interface OfMessages {
  readonly messages: Prisma.Sql;
}

const conditionOf = (part: Prisma.Sql | OfMessages): Prisma.Sql =>
  'messages' in part ? sql`coalesce(a.message_id = ANY (ARRAY(${part.messages})), false)` : part;

/**
 * The conditions of a filter, narrowest first. Each is one or more parts that have no row in common and an index each: a row
 * meets it that meets one of them.
 */
function conditionsOf(
  keys: KeyRing,
  municipality: string,
  { message, citizen, case: caseId, user, action, result }: AuditFilter,
): (Prisma.Sql | OfMessages)[][] {
  const about = (kind: 'citizen' | 'case', key: string): OfMessages => ({
    messages: sql`
      SELECT message_id FROM message_subjects WHERE municipality = ${municipality} AND kind = ${kind} AND key = ${key}`,
  });
  const conditions: (Prisma.Sql | OfMessages)[][] = [];
  if (message !== undefined) conditions.push([sql`a.message_id = ${message}::uuid`]);
  if (citizen !== undefined) {
    const [digest = ''] = citizensOf(keys, [citizen]);
    conditions.push([
      about('citizen', digest),
      sql`a.citizen = decode(${digest}, 'hex') AND NOT ${conditionOf(about('citizen', digest))}`,
    ]);
  }
  if (caseId !== undefined) conditions.push([about('case', caseId)]);
  if (user !== undefined) {
    const isActor = sql`a.actor_kind = 'user' AND a.actor = ${user}`;
    conditions.push([isActor, sql`a.on_behalf_of = ${user} AND NOT (${isActor})`]);
  }
  if (result !== undefined && result !== 'done')
    conditions.push([sql`a.action = 'refused'`], [sql`a.result = ${result}`]);
  // Two have most rows, and no index of their own.
  if (action === 'accepted' || action === 'suggested') conditions.push([sql`true`], [sql`a.action = ${action}`]);
  else if (action !== undefined)
    conditions.push([sql`a.action = ${action} AND a.action NOT IN ('accepted', 'suggested')`]);
  if (result === 'done') conditions.push(...(conditions.length === 0 ? [[sql`true`]] : []), [sql`a.result = 'done'`]);
  return conditions;
}
