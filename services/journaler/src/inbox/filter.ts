import { actsFor, assignedTo, type Principal, suggestedTo } from '@indbakke/shared/access';
import type { DocumentFilter } from '@indbakke/shared/api';
import { DAY, HOUR } from '@indbakke/shared/config';
import { partyIdOf } from '@indbakke/shared/ids';
import { flaggedAt, hasWords } from '@indbakke/shared/inbox';
import type { DeletionState } from '@indbakke/shared/lifecycle';
import { Prisma } from '@indbakke/shared/store';
import {
  CONCERN_DUE,
  CONCERN_OPEN,
  OUTCOME_OPEN,
  type Range,
  type Time,
  type Walk,
  walkEach,
  walkRows,
  walkWhere,
} from './walk.js';

const { sql } = Prisma;

/** One filter of a list, search, export, summary or set of ids. */
export interface Filter {
  /** On `messages AS m`. */
  readonly condition: Prisma.Sql;
  /** Which together read all messages that meet it, and no others; by these times they have an index. */
  readonly walks?: readonly Walk[];
  readonly times?: readonly Time[];
  /** Whether it leaves less than what one caseworker has. */
  readonly isNarrow?: boolean;
  /** Whether the caller sees every message that meets it, but for its status. */
  readonly isOwn?: boolean;
}

const BY_RECEIPT = ['receivedAt'] as const;
const BY_RECEIPT_OR_LETTER = ['receivedAt', 'letterAt'] as const;
/** So few messages that they can be sorted. */
const BY_ANY = ['receivedAt', 'letterAt', 'replyBy', 'concernDue'] as const;

/**
 * The filters of a query, each as a condition, and those that narrow it most first: a page is read by the first one that can
 * walk its messages in order, and checks the others on what it reads.
 *
 * @param found ids that the words of the query have found; undefined: the words are a condition like others
 */
export function filtersOf(
  query: DocumentFilter,
  principal: Principal,
  { now, found }: { readonly now: Date; readonly found?: readonly string[] | undefined },
): Filter[] {
  const { municipality } = principal;
  const filters: Filter[] = [];
  if (query.case !== undefined) filters.push(ofCase(query.case, municipality));
  if (query.sender !== undefined) filters.push(ofParty('sender', query.sender));
  if (query.concerning !== undefined) filters.push(ofParty('concerning', query.concerning));
  if (query.q !== undefined) filters.push(ofWords(query.q, found));
  if (query.assignee === 'me' || query.view === 'assigned') filters.push(assigned(principal));
  if (query.assignee === 'none') filters.push({ condition: sql`m.assignee_id IS NULL` });
  else if (query.assignee !== undefined && query.assignee !== 'me') {
    filters.push(indexed(sql`m.assignee_id = ${query.assignee}`, BY_RECEIPT_OR_LETTER));
  }
  if (query.owner === 'me' || query.view === 'mine') filters.push(mine(principal));
  if (query.view === 'absent') filters.push(ofColleagues(query.colleagues ?? [], municipality));
  if (query.view === 'nobodys') {
    filters.push({ condition: sql`m.suggested_case_id IS NULL AND m.assignee_id IS NULL` });
  }
  if (query.hasMedia === true) filters.push(indexed(sql`m.has_media`));
  if (query.hasMedia === false) filters.push({ condition: sql`NOT m.has_media` });
  if (query.late === true || query.view === 'late') filters.push(indexed(sql`m.late`));
  if (query.late === false) filters.push({ condition: sql`NOT m.late` });
  if (query.flagged === true) filters.push({ condition: flaggedAt(now) });
  if (query.flagged === false) filters.push({ condition: sql`${flaggedAt(now)} IS NOT TRUE` });
  if (query.concern !== undefined) filters.push(indexed(concernOf(query.concern, now)));
  if (query.outcome === 'open') filters.push(indexed(OUTCOME_OPEN));
  if (query.outcome === 'told') filters.push({ condition: sql`m.outcome_at IS NOT NULL` });
  if (query.legalHold === true) filters.push(indexed(sql`m.legal_hold`));
  if (query.legalHold === false) filters.push({ condition: sql`NOT m.legal_hold` });
  if (query.deletion !== undefined) filters.push(indexed(deletionIn(query.deletion)));
  if (query.channel === 'sf2900') filters.push(indexed(sql`m.channel = 'sf2900'`));
  else if (query.channel !== undefined) filters.push({ condition: sql`m.channel = ${query.channel}` });
  if (query.contactPoint !== undefined) filters.push(indexed(sql`m.contact_point_id = ${query.contactPoint}`));
  if (query.kind !== undefined) filters.push(indexed(sql`m.kind = ${query.kind}`));
  if (query.party !== undefined) filters.push({ condition: sql`m.suggestion_party = ${query.party}` });
  if (query.warning !== undefined) filters.push({ condition: sql`m.suggestion_warning = ${query.warning}` });
  if (query.hasSuggestion === true) filters.push({ condition: sql`m.suggested_case_id IS NOT NULL` });
  if (query.hasSuggestion === false) filters.push({ condition: sql`m.suggested_case_id IS NULL` });
  return filters;
}

const indexed = (condition: Prisma.Sql, times: readonly Time[] = BY_RECEIPT): Filter => ({
  condition,
  walks: [walkWhere(condition)],
  times,
});

/** The times of receipt that a query is limited to. */
export function rangeOf({ receivedFrom, receivedTo, olderThan }: DocumentFilter, now: Date): Range {
  const ends = [
    ...(receivedTo === undefined ? [] : [Date.parse(receivedTo)]),
    ...(olderThan === undefined ? [] : [now.getTime() - millisecondsOf(olderThan)]),
  ];
  return {
    ...(receivedFrom !== undefined && { from: new Date(receivedFrom) }),
    ...(ends.length > 0 && { before: new Date(Math.min(...ends)) }),
  };
}

/** What the caller sees without SeAlle. */
export function ownedBy(principal: Principal): Filter {
  const [first, second] = [assigned(principal), mine(principal)];
  return {
    condition: sql`(${first.condition} OR ${second.condition})`,
    walks: [...(first.walks ?? []), ...(second.walks ?? [])],
    times: BY_RECEIPT_OR_LETTER,
    isOwn: true,
  };
}

function assigned(principal: Principal): Filter {
  return {
    condition: assignedTo(principal),
    walks: [assignedToEach(actsFor(principal), principal.teams)],
    times: BY_RECEIPT_OR_LETTER,
    isNarrow: true,
    isOwn: true,
  };
}

/** @param users an array of ids */
function assignedToEach(users: Prisma.Sql, teams: readonly string[]): Walk {
  const keys = sql`
    SELECT 'user' AS kind, id FROM unnest(${users}) AS id
    UNION SELECT 'team', id FROM unnest(${[...teams]}::text[]) AS id`;
  return walkEach(keys, sql`m.assignee_id = k.id AND m.assignee_kind = k.kind`);
}

function mine(principal: Principal): Filter {
  const walks = [suggestedToEach(actsFor(principal), principal.municipality)];
  return { condition: suggestedTo(principal), walks, times: BY_ANY, isNarrow: true, isOwn: true };
}

/** @param users an array of ids */
function suggestedToEach(users: Prisma.Sql, municipality: string): Walk {
  const cases = sql`SELECT case_id FROM cases WHERE municipality = ${municipality} AND caseworker = ANY (${users})`;
  return walkEach(cases, sql`m.suggested_case_id = k.case_id`);
}

function ofColleagues(users: readonly string[], municipality: string): Filter {
  const these = sql`${[...users]}::text[]`;
  const ids = sql`ANY (${these})`;
  const caseworker = sql`(SELECT caseworker FROM cases WHERE municipality = ${municipality} AND case_id = m.suggested_case_id)`;
  return {
    condition: sql`((m.assignee_kind = 'user' AND m.assignee_id = ${ids}) OR ${caseworker} = ${ids})`,
    walks: [assignedToEach(these, []), suggestedToEach(these, municipality)],
    times: BY_RECEIPT_OR_LETTER,
  };
}

/** Suggested for the case, or journalized on it. */
function ofCase(caseId: string, municipality: string): Filter {
  const suggested = sql`m.suggested_case_id = ${caseId}`;
  const journalized = sql`r.municipality = ${municipality} AND r.case_id = ${caseId}`;
  return {
    condition: sql`(${suggested} OR EXISTS (SELECT FROM journalizations r WHERE r.message_id = m.id AND ${journalized}))`,
    walks: [walkWhere(suggested), walkRows(sql`journalizations AS r`, journalized, false)],
    times: BY_ANY,
    isNarrow: true,
  };
}

/** @param number CPR or CVR number, in any form */
function ofParty(role: 'sender' | 'concerning', number: string): Filter {
  const condition = sql`r.role = ${role} AND r.number = ${partyIdOf(number)}`;
  return {
    condition: sql`EXISTS (SELECT FROM message_parties r WHERE r.message_id = m.id AND ${condition})`,
    walks: [walkRows(sql`message_parties AS r`, condition, true)],
    times: BY_RECEIPT_OR_LETTER,
    isNarrow: true,
  };
}

function concernOf(which: NonNullable<DocumentFilter['concern']>, now: Date): Prisma.Sql {
  if (which === 'any') return sql`m.concern_marked_at IS NOT NULL`;
  return which === 'open' ? CONCERN_OPEN : sql`${CONCERN_OPEN} AND ${CONCERN_DUE} < ${now}::timestamptz`;
}

function deletionIn(state: DeletionState): Prisma.Sql {
  return sql`m.deletion_requested_at IS NOT NULL AND m.deletion_due_at IS ${state === 'scheduled' ? sql`NOT NULL` : sql`NULL`}`;
}

/** @param found the messages that have the words, if they were searched for */
function ofWords(q: string, found: readonly string[] | undefined): Filter {
  if (found === undefined) return { condition: hasWords(q) };
  const walks = [walkRows(sql`unnest(${[...found]}::uuid[]) AS r (message_id)`, sql`true`, false)];
  return { condition: sql`m.id = ANY (${[...found]}::uuid[])`, walks, times: BY_ANY, isNarrow: true };
}

/** @param duration ISO 8601: days and hours, a day being 24 hours */
function millisecondsOf(duration: string): number {
  const [, days = 0, hours = 0] = /^P(?:(\d+)D)?(?:T(\d+)H)?$/.exec(duration) ?? [];
  return Number(days) * DAY + Number(hours) * HOUR;
}
