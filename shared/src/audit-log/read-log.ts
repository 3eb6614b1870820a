import type { AuditEvent, AuditFilter } from '../api/index.js';
import { citizensOf } from '../audit/index.js';
import type { KeyRing } from '../keys/index.js';
import { Prisma, type Store } from '../store/index.js';
import { TRAINING_MARK } from '../training/index.js';

const { sql } = Prisma;

export interface LogParts {
  readonly store: Store;
  readonly keys: KeyRing;
}

/** A row of the log, with the dates of its message. */
export interface LogRow extends Omit<AuditEvent, 'at'> {
  readonly at: Date;
  readonly receivedAt: Date | null;
  readonly letterAt: Date | null;
}

/** Of a row, where a page begins or ends. */
export interface LogPosition {
  readonly time: string;
  readonly id: string;
}

/** What people call a municipality; of a training municipality, it says so. */
export async function readMunicipalityName(store: Store, municipality: string): Promise<string> {
  const statement = sql`SELECT name, is_training AS "isTraining" FROM municipalities WHERE cvr = ${municipality}`;
  const [row] = await store.query<{ name: string; isTraining: boolean }>(municipality, statement, 'kept');
  return row ? `${row.name}${row.isTraining ? ` (${TRAINING_MARK})` : ''}` : municipality;
}

// A page is a round trip; in memory it takes about a megabyte.
const PAGE = 1_000;

/** All rows of a filter, oldest first: only one page is in memory. What is written meanwhile may be among them. */
export async function* readLog(
  { store, keys }: LogParts,
  municipality: string,
  filter: AuditFilter,
): AsyncGenerator<LogRow> {
  let from: LogPosition | undefined;
  for (;;) {
    const rows = logRows(keys, municipality, filter, { from, newestFirst: false, most: PAGE });
    const page = await store.query<LogRow>(municipality, sql`${rows} ORDER BY at, id`, 'kept');
    yield* page;
    const last = page.at(-1);
    if (page.length < PAGE || !last) return;
    from = { time: last.at.toISOString(), id: last.id };
  }
}

export interface LogPage {
  /** The last row of the page before. */
  readonly from: LogPosition | undefined;
  readonly newestFirst: boolean;
  readonly most: number;
}

/** The first rows of a filter in their order, each once: read by the filter that leaves fewest, which has an index. */
export function logRows(
  keys: KeyRing,
  municipality: string,
  filter: AuditFilter,
  { from, newestFirst, most }: LogPage,
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
