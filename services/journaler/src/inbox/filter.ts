import { assignedTo, type Principal, suggestedTo, visibleTo } from '@indbakke/shared/access';
import type { DocumentFilter } from '@indbakke/shared/api';
import { partyForms } from '@indbakke/shared/ids';
import { Prisma } from '@indbakke/shared/store';

const { sql } = Prisma;

/** What a list is limited to, and the order that its position refers to. */
export interface Listing extends DocumentFilter {
  readonly sort: Sort;
}

export type Sort = `${'' | '-'}${keyof typeof KEYS}`;

/** Where a page ended: the value that the list is sorted by, and the id. */
export interface Position {
  readonly time: string;
  readonly id: string;
}

/** Where messages are looked for: each way has an index that begins with it and goes on with status and time of receipt. */
interface Way {
  /** One row for each of its values, if there are several. */
  readonly values?: Prisma.Sql;
  /** On `messages AS m` and those rows. */
  readonly condition: Prisma.Sql;
}

/**
 * A subquery with `id` and `key` of the first `limit` messages of a list that the caller may see, in its order, after a position.
 * It reads few rows more than that, however long the history is: in each status and on each way as many as the page needs.
 *
 * @param found ids that a search has found; undefined without one
 */
export function candidates(
  principal: Principal,
  listing: Listing,
  {
    limit,
    from,
    found,
  }: {
    limit: number | Readonly<Record<string, number>>;
    from?: Position | undefined;
    found?: readonly string[] | undefined;
  },
): Prisma.Sql {
  const { key, direction, beyond } = orderOf(listing.sort);
  const after = from ? [sql`(${key}, m.id) ${beyond} (${from.time}::timestamptz, ${from.id}::uuid)`] : [];
  const conditions = [visibleTo(principal), ...conditionsOf(principal, listing), ...after];
  const parts = listing.status.flatMap((status) =>
    waysOf(principal, listing, status, found).map(({ values, condition }) => {
      const most = typeof limit === 'number' ? limit : limit[status];
      const ofWay = sql`
        SELECT m.id, ${key} AS key FROM messages m
        WHERE m.status = ${status} AND ${condition} AND ${Prisma.join(conditions, ' AND ')}
        ORDER BY ${key} ${direction}, m.id ${direction} LIMIT ${most}::int`;
      return values ? sql`(SELECT way.* FROM ${values} CROSS JOIN LATERAL (${ofWay}) AS way)` : sql`(${ofWay})`;
    }),
  );
  // UNION, because a message may be found on two ways.
  return sql`(SELECT id, key FROM (${Prisma.join(parts, ' UNION ')}) AS part ORDER BY key ${direction}, id ${direction})`;
}

/** Whether the plan of the list is the same whatever its values: it walks the index of its order. */
export function isUnfiltered(principal: Principal, listing: Listing): boolean {
  const [status, ...others] = listing.status;
  return others.length === 0 && seesAll(principal, status as string) && conditionsOf(principal, listing).length === 0;
}

// --- what is asked for -----------------------------------------------------------------------------------------------

/** Every filter but the status, as conditions on `messages AS m`. */
function conditionsOf(principal: Principal, filter: DocumentFilter): Prisma.Sql[] {
  const conditions: Prisma.Sql[] = [];
  if (filter.view) conditions.push(viewOf(principal, filter));
  if (filter.kind) conditions.push(sql`m.kind = ${filter.kind}`);
  if (filter.channel) conditions.push(sql`m.channel = ${filter.channel}`);
  if (filter.contactPoint) conditions.push(sql`m.contact_point_id = ${filter.contactPoint}`);
  if (filter.hasSuggestion !== undefined)
    conditions.push(sql`(m.suggested_case_id IS NOT NULL) = ${filter.hasSuggestion}::bool`);
  if (filter.assignee === 'none') conditions.push(sql`m.assignee_id IS NULL`);
  else if (filter.assignee === 'me') conditions.push(assignedTo(principal));
  else if (filter.assignee) conditions.push(sql`m.assignee_id = ${filter.assignee}`);
  if (filter.owner) conditions.push(suggestedTo(principal));
  if (filter.receivedFrom) conditions.push(sql`m.received_at >= ${filter.receivedFrom}::timestamptz`);
  if (filter.receivedTo) conditions.push(sql`m.received_at < ${filter.receivedTo}::timestamptz`);
  if (filter.olderThan) conditions.push(sql`m.received_at < now() - ${filter.olderThan}::interval`);
  if (filter.late !== undefined) conditions.push(filter.late ? sql`m.late` : sql`NOT m.late`);
  if (filter.hasMedia !== undefined) conditions.push(filter.hasMedia ? sql`m.has_media` : sql`NOT m.has_media`);
  if (filter.concern) conditions.push(CONCERNS[filter.concern]);
  if (filter.case !== undefined)
    conditions.push(sql`(m.suggested_case_id = ${filter.case} OR ${journalizedOn(principal, filter.case)})`);
  if (filter.sender) conditions.push(hasParty(principal, sql`sender_id`, filter.sender));
  if (filter.concerning) conditions.push(hasParty(principal, sql`concerning_id`, filter.concerning));
  return conditions;
}

function viewOf(principal: Principal, { view, colleagues = [] }: DocumentFilter): Prisma.Sql {
  switch (view) {
    case 'mine':
      return suggestedTo(principal);
    case 'assigned':
      return assignedTo(principal);
    case 'nobodys':
      return sql`m.suggested_case_id IS NULL AND m.assignee_id IS NULL`;
    case 'absent':
      return sql`((m.assignee_kind = 'user' AND m.assignee_id = ANY (${colleagues}::text[]))
        OR m.suggested_case_id = ANY (ARRAY(${casesOf(principal, colleagues)})))`;
    case 'late':
      return sql`m.late`;
    default:
      return sql`m.handled_at IS NULL`; // unhandled: olderThan says for how long
  }
}

/** Clocks that are not met. */
export const ASSESSMENT_OPEN = sql`(m.concern_marked_at IS NOT NULL AND m.concern_assessed_at IS NULL)`;
export const CONFIRMATION_OPEN = sql`(m.concern_marked_at IS NOT NULL AND m.concern_confirmed_at IS NULL)`;
/** The earliest of them; null if there is none. */
export const CONCERN_DUE = sql`least(
  CASE WHEN ${ASSESSMENT_OPEN} THEN m.concern_assess_by END, CASE WHEN ${CONFIRMATION_OPEN} THEN m.concern_confirm_by END)`;

const CONCERNS = {
  any: sql`m.concern_marked_at IS NOT NULL`,
  open: sql`m.concern_marked_at IS NOT NULL AND ${CONCERN_DUE} IS NOT NULL`,
  overdue: sql`m.concern_marked_at IS NOT NULL AND ${CONCERN_DUE} < now()`,
} satisfies Record<NonNullable<DocumentFilter['concern']>, Prisma.Sql>;

function casesOf({ municipality }: Principal, users: readonly string[]): Prisma.Sql {
  return sql`SELECT case_id FROM cases WHERE municipality = ${municipality} AND caseworker = ANY (${users}::text[])`;
}

function journalizedOn({ municipality }: Principal, caseId: string): Prisma.Sql {
  return sql`m.id = ANY (ARRAY(SELECT message_id FROM journalizations WHERE municipality = ${municipality} AND case_id = ${caseId}))`;
}

/** The column has what the sender wrote, so the number is looked for in each of its usual forms. */
function hasParty({ municipality }: Principal, column: Prisma.Sql, number: string): Prisma.Sql {
  return sql`m.id = ANY (ARRAY(
    SELECT message_id FROM message_details WHERE municipality = ${municipality} AND ${column} = ANY (${partyForms(number)}::text[])))`;
}

// --- where to look ---------------------------------------------------------------------------------------------------

/** The ways that together lead to every message of the list, few others, and in the order of the list. */
function waysOf(principal: Principal, filter: DocumentFilter, status: string, found?: readonly string[]): Way[] {
  const { actor, teams } = principal;
  const mine: [kind: string, id: string][] = [['user', actor.id], ...teams.map((id): [string, string] => ['team', id])];
  if (found) return [{ condition: sql`m.id = ANY (${found}::uuid[])` }];
  if (filter.case !== undefined) {
    return [
      { condition: sql`m.suggested_case_id = ${filter.case}` },
      { condition: journalizedOn(principal, filter.case) },
    ];
  }
  if (filter.sender) return [{ condition: hasParty(principal, sql`sender_id`, filter.sender) }];
  if (filter.concerning) return [{ condition: hasParty(principal, sql`concerning_id`, filter.concerning) }];
  if (filter.assignee === 'me' || filter.view === 'assigned') return [byAssignee(mine)];
  if (filter.assignee && filter.assignee !== 'none') {
    return [
      byAssignee([
        ['user', filter.assignee],
        ['team', filter.assignee],
      ]),
    ];
  }
  if (filter.owner || filter.view === 'mine') return [byCaseworker(principal, [actor.id])];
  if (filter.view === 'absent') {
    const { colleagues = [] } = filter;
    return [byAssignee(colleagues.map((id) => ['user', id])), byCaseworker(principal, colleagues)];
  }
  if (seesAll(principal, status)) return [{ condition: sql`true` }];
  return [byAssignee(mine), byCaseworker(principal, [actor.id])];
}

/** Whether the caller sees messages of the status that are neither assigned to nor suggested for them. */
function seesAll({ roles }: Principal, status: string): boolean {
  if (roles.has('IndkomneDokumenter.Læs') && roles.has('IndkomneDokumenter.SeAlle')) return true;
  const seesHeld = roles.has('Indbakke.Opsætning') || roles.has('Indbakke.Drift');
  return seesHeld && (status === 'held' || status === 'rejected');
}

function byAssignee(assignees: readonly (readonly [kind: string, id: string])[]): Way {
  const kinds = assignees.map(([kind]) => kind);
  const ids = assignees.map(([, id]) => id);
  return {
    values: sql`unnest(${kinds}::text[], ${ids}::text[]) AS assignee (kind, id)`,
    condition: sql`m.assignee_kind = assignee.kind AND m.assignee_id = assignee.id`,
  };
}

function byCaseworker(principal: Principal, users: readonly string[]): Way {
  return {
    values: sql`(${casesOf(principal, users)}) AS owned`,
    condition: sql`m.suggested_case_id = owned.case_id`,
  };
}

// --- order -----------------------------------------------------------------------------------------------------------

// Where there is no such time: after all others, in either direction.
const LAST = { ASC: sql`'9999-12-31T23:59:59Z'::timestamptz`, DESC: sql`'0001-01-01T00:00:00Z'::timestamptz` };

const KEYS = {
  receivedAt: () => sql`m.received_at`,
  letterAt: () => sql`m.letter_at`,
  replyBy: (last: Prisma.Sql) => sql`coalesce(m.reply_by, ${last})`,
  concernDue: (last: Prisma.Sql) => sql`coalesce(${CONCERN_DUE}, ${last})`,
};

/** The id decides between equal times, so that each message has one position. */
function orderOf(sort: Sort): { key: Prisma.Sql; direction: Prisma.Sql; beyond: Prisma.Sql } {
  const key = KEYS[sort.replace('-', '') as keyof typeof KEYS];
  return sort.startsWith('-')
    ? { key: key(LAST.DESC), direction: sql`DESC`, beyond: sql`<` }
    : { key: key(LAST.ASC), direction: sql`ASC`, beyond: sql`>` };
}
