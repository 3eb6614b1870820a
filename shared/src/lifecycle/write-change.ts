import { allowedChanges, type ChangeableMessage, type Principal, type Role, rolesBeyond } from '../access/index.js';
import { homeOf } from '../audit/index.js';
import { Problem } from '../errors/index.js';
import type { IdempotencyKey } from '../idempotency/index.js';
import { type Connection, newId, Prisma, run } from '../store/index.js';
import { currentTrace } from '../tracing/index.js';
import { ONWARD_STATUS } from './onward.js';
import { FILE_FETCH, noteReceipt, REJECTION_TOLD } from './receipts.js';
import { RECORD_CHANGES } from './record-changes.js';
import type { Status } from './statuses.js';
import { CHANGES, type Change } from './transitions.js';

const { sql } = Prisma;

/** A request to change one message. */
export interface ChangeRequest {
  readonly principal: Principal;
  readonly id: string;
  /** The version that the caller read; undefined = any. */
  readonly expectedVersion: number | undefined;
  readonly at: Date;
  /** The change is made once for this key. */
  readonly idempotencyKey?: IdempotencyKey | undefined;
}

/** What a change writes besides status and version. */
export interface ChangeColumns {
  /** Assignments of further columns of `messages AS m`, for SET. */
  readonly set?: Prisma.Sql;
  /** For the event and the audit log: codes, ids and times only. */
  readonly details?: Details;
  /** More of them, in which the repeat of a change differs, such as its time. */
  readonly ownDetails?: Details;
}

type Details = Readonly<Record<string, string | number | boolean>>;

/** Conditions on `messages AS m` besides its status and version. */
export interface ChangeConditions {
  /** Else there is no such message; default: any. */
  readonly isVisible?: Prisma.Sql;
  /** Else the caller may not do it: the Problem. */
  readonly isAllowed?: { readonly condition: Prisma.Sql; readonly otherwise: () => Problem };
  /** Else something other than status and version forbids it: the Problem, given the clause that says what the caller may do now. */
  readonly isPossible?: { readonly condition: Prisma.Sql; readonly otherwise: (allowed: string) => Problem };
}

interface Changed {
  readonly status: Status;
  readonly version: number;
}

/**
 * Changes a message: the only way to change a status, an assignment or a version after intake, apart from suggestions, which
 * are written in batches (RECORD_CHANGES). One statement locks the message, updates it only if its status (and the version, if
 * given) is the expected one, and writes the event and the audit row; of a document from Fordelingskomponenten another one writes
 * what its sender is to be told.
 *
 * @throws Problem not-found, that of `isAllowed`, role-missing (no role that allows it reaches the message), version-changed (another
 *   change came first), wrong-status, or that of `isPossible`
 */
export async function writeChange(
  connection: Connection,
  request: ChangeRequest,
  change: Change,
  { set, details, ownDetails }: ChangeColumns = {},
  { isVisible = sql`true`, isAllowed, isPossible }: ChangeConditions = {},
): Promise<Changed> {
  const { principal, id, expectedVersion, at } = request;
  const { municipality, actor, role, origin } = principal;
  const { from, to } = CHANGES[change];
  const allowing = (CHANGES[change].roles as readonly Role[]).filter((role) => principal.roles.has(role));
  const assignments = [sql`version = m.version + 1`, ...(set ? [set] : []), ...moveTo(to, at, actor.id)];
  const version = expectedVersion ?? null;
  const isBeyondAll = sql`(${allowing}::text[] <> '{}' AND ${allowing}::text[] <@ current.beyond)`;
  const [found] = await run<Found>(
    connection,
    sql`
      WITH current AS (
        SELECT m.id, m.status, m.version, m.assignee_kind, m.assignee_id, m.concern_marked_at, m.concern_assessed_at,
          m.concern_confirmed_at, m.legal_hold, m.deletion_requested_at, m.deletion_requested_by, m.deletion_due_at, m.content_removed_at, m.channel,
          ${REJECTION_TOLD} AS rejection_told, ${FILE_FETCH} AS file_fetch, ${ONWARD_STATUS} AS onward,
          (SELECT moved_to FROM cases WHERE municipality = m.municipality AND case_id = m.suggested_case_id) AS moved_to,
          ${isAllowed?.condition ?? sql`true`} AS "isAllowed", ${rolesBeyond(principal)} AS beyond
        FROM messages m WHERE m.id = ${id}::uuid AND ${isVisible} FOR UPDATE
      ), changed AS (
        UPDATE messages m SET ${Prisma.join(assignments)}
        FROM current
        WHERE m.id = current.id AND current."isAllowed" AND NOT ${isBeyondAll} AND current.version = coalesce(${version}::int, current.version)
          AND current.status = ANY (${[...from]}::text[]) AND ${isPossible?.condition ?? sql`true`}
        RETURNING m.id, m.status, m.version
      ), changes AS (
        SELECT ${newId()}::uuid AS change_id, ${municipality}::text AS municipality, id AS message_id, ${change}::text AS type,
          status, version, ${at}::timestamptz AS at, ${actor.kind}::text AS actor_kind, ${actor.id}::text AS actor,
          ${actor.onBehalfOf ?? null}::text AS on_behalf_of, ${role ?? null}::text AS role, ${origin ?? null}::text AS origin,
          ${JSON.stringify({ ...details, ...ownDetails, ...homeOf(principal) })}::jsonb AS details, ${currentTrace() ?? null}::text AS trace
        FROM changed
      ), ${Prisma.raw(RECORD_CHANGES)}
      SELECT current.status, current.version, current.assignee_kind AS "assigneeKind", current.assignee_id AS "assigneeId",
        current.concern_marked_at AS "concernMarkedAt", current.concern_assessed_at AS "concernAssessedAt",
        current.concern_confirmed_at AS "concernConfirmedAt", current.legal_hold AS "legalHold",
        current.deletion_requested_at AS "deletionRequestedAt", current.deletion_requested_by AS "deletionRequestedBy",
        current.deletion_due_at AS "deletionDueAt", current.content_removed_at AS "contentRemovedAt", current.moved_to AS "movedTo", current.channel,
        current.rejection_told AS "rejectionTold", current.file_fetch AS "fileFetch", current.onward, "isAllowed",
        current.beyond, ${isBeyondAll} AS "isBeyondAll", changed.status AS "newStatus", changed.version AS "newVersion"
      FROM current LEFT JOIN changed USING (id)`,
  );
  if (!found) throw new Problem('not-found', 'There is no such message, or the caller may not see it.');
  if (found.newStatus !== null) {
    if (found.channel === 'sf2900') await noteReceipt(connection, request, change, found.newStatus);
    return { status: found.newStatus, version: found.newVersion };
  }
  if (isAllowed && !found.isAllowed) throw isAllowed.otherwise();
  if (found.isBeyondAll) {
    throw new Problem('role-missing', `The data constraints of ${allowing.join(' and ')} do not reach this message.`);
  }
  if (found.version !== (expectedVersion ?? found.version)) {
    throw new Problem('version-changed', `The message is now at version ${found.version}. Read it again.`);
  }
  const allowed = `the caller may make these changes now: ${allowedChanges(principal, found).join(', ') || 'none'}.`;
  if (isPossible && (from as readonly Status[]).includes(found.status)) throw isPossible.otherwise(allowed);
  throw new Problem('wrong-status', `The message is ${found.status}; ${allowed}`);
}

/** The message as it was, and as it is now, if it was changed. */
type Found = Changed &
  ChangeableMessage & { readonly channel: string; readonly isAllowed: boolean; readonly isBeyondAll: boolean } & (
    | { readonly newStatus: Status; readonly newVersion: number }
    | { readonly newStatus: null }
  );

/** In these a message waits no more. */
const HANDLED: ReadonlySet<string> = new Set(['journalized', 'rejected'] satisfies Status[]);

/** The assignments of a move to another status. */
function moveTo(to: Status | 'before' | 'same', at: Date, by: string): Prisma.Sql[] {
  if (to === 'same') return [];
  const status = to === 'before' ? sql`coalesce(m.status_before, 'pending')` : sql`${to}`;
  // Only a held message has a cause; a rejected one keeps it, for when it is reopened.
  const wasHeld = to === 'before' ? sql`m.status_before = 'held'` : sql`m.status = 'held'`;
  const keepsCause = to === 'before' || to === 'rejected' ? wasHeld : sql`false`;
  return [
    sql`status = ${status}`,
    sql`status_before = ${to === 'rejected' ? sql`m.status` : sql`NULL`}`,
    sql`held_cause = CASE WHEN ${keepsCause} THEN m.held_cause END`,
    sql`status_at = ${at}::timestamptz`,
    sql`status_by = ${by}`,
    sql`handled_at = ${HANDLED.has(to) ? sql`${at}::timestamptz` : to === 'deleted' ? sql`m.handled_at` : sql`NULL`}`,
  ];
}

/**
 * What the caller was answered to the same change at the same version, if the message has not changed since but for
 * suggestions and scans, which are nobody’s decision. By comparing the caller, this shows nothing to anybody else; not by which role or
 * from where, since a retry may come by another way.
 */
export async function firstAnswerTo(
  connection: Connection,
  { principal, id, expectedVersion = -1 }: ChangeRequest,
  change: Change,
  { details = {}, ownDetails = {} }: ChangeColumns,
): Promise<Changed | undefined> {
  const { municipality, actor } = principal;
  // The rows of one change share id and time (RECORD_CHANGES).
  const [first] = await run<Changed>(
    connection,
    sql`
    SELECT event.status, event.version
    FROM events event
    JOIN audit_events audit ON audit.id = event.id AND audit.at = event.at
    WHERE event.message_id = ${id}::uuid AND event.municipality = ${municipality} AND event.version = ${expectedVersion + 1}::int AND event.type = ${change}
      AND NOT EXISTS (
        SELECT FROM events later
        WHERE later.message_id = event.message_id AND later.version > event.version AND later.type NOT IN ('suggested', 'files-scanned', 'files-let-pass'))
      AND audit.actor_kind = ${actor.kind} AND audit.actor = ${actor.id}
      AND audit.on_behalf_of IS NOT DISTINCT FROM ${actor.onBehalfOf ?? null}
      AND audit.details - ${[...Object.keys(ownDetails), ...Object.keys(homeOf(principal))]}::text[] = ${JSON.stringify(details)}::jsonb`,
  );
  return first;
}
