import type { Principal } from '../access/index.js';
import { Problem } from '../errors/index.js';
import { newId, Prisma, type Tx } from '../store/index.js';
import { RECORD_CHANGES } from './record-changes.js';
import type { Status } from './statuses.js';
import { CHANGES, type Change } from './transitions.js';

/** A request to change one message. */
export interface ChangeRequest {
  readonly principal: Principal;
  readonly id: string;
  /** The version that the caller read; undefined = any. */
  readonly expectedVersion: number | undefined;
  readonly at: Date;
}

/** What a change writes besides status and version. */
export interface ChangeColumns {
  /** Further columns of `messages`. */
  readonly set?: Prisma.MessageUncheckedUpdateManyInput;
  /** For the audit log: codes and ids only. */
  readonly details?: Record<string, string | number | boolean>;
}

/**
 * Changes a message: the only way to change a status, an assignment or a version after intake, apart from suggestions, which
 * are written in batches (RECORD_CHANGES). Updates only if the status (and the version, if given) is the expected one, and
 * writes the event and the audit row in the same transaction.
 *
 * @throws Problem not-found, version-changed (another change came first) or wrong-status
 */
export async function writeChange(
  tx: Tx,
  { principal: { municipality, actor }, id, expectedVersion, at }: ChangeRequest,
  change: Change,
  { set, details = {} }: ChangeColumns = {},
): Promise<{ status: Status; version: number }> {
  const { from, to } = CHANGES[change];
  const current = await lockMessage(tx, id, expectedVersion);
  if (!(from as readonly Status[]).includes(current.status)) {
    throw new Problem('wrong-status', `The message is ${current.status}; it must be ${from.join(' or ')}.`);
  }
  const moved = to === 'same' ? undefined : { ...statusAfter(to, current), statusAt: at, statusBy: actor.id };
  const status = moved?.status ?? current.status;
  const version = current.version + 1;
  await tx.message.update({ where: { id }, data: { ...set, ...moved, version } });
  await tx.$queryRaw`
    WITH changes AS (
      SELECT ${newId()}::uuid AS change_id, ${municipality} AS municipality, ${id}::uuid AS message_id, ${change} AS type,
        ${status} AS status, ${version}::int AS version, ${at}::timestamptz AS at, ${actor.kind} AS actor_kind,
        ${actor.id} AS actor, ${actor.onBehalfOf ?? null} AS on_behalf_of, ${JSON.stringify(details)}::jsonb AS details
    ), ${Prisma.raw(RECORD_CHANGES)} SELECT 1`;
  return { status, version };
}

/**
 * What the caller was answered to the same change at the same version, if that is the last change of the message. By comparing
 * the caller, this shows nothing to anybody else.
 */
export async function firstAnswerTo(
  tx: Tx,
  { principal: { actor }, id, expectedVersion = -1 }: ChangeRequest,
  change: Change,
  details: ChangeColumns['details'] = {},
): Promise<{ status: Status; version: number } | undefined> {
  // The rows of one change share id and time (RECORD_CHANGES).
  const [first] = await tx.$queryRaw<{ status: Status; version: number }[]>`
    SELECT event.status, event.version
    FROM messages message
    JOIN events event ON event.message_id = message.id AND event.version = message.version
    JOIN audit_events audit ON audit.id = event.id AND audit.at = event.at
    WHERE message.id = ${id}::uuid AND message.version = ${expectedVersion + 1}::int AND event.type = ${change}
      AND audit.actor_kind = ${actor.kind} AND audit.actor = ${actor.id}
      AND audit.on_behalf_of IS NOT DISTINCT FROM ${actor.onBehalfOf ?? null}
      AND audit.details = ${JSON.stringify(details)}::jsonb`;
  return first;
}

interface Current {
  readonly status: Status;
  readonly statusBefore: Status | null;
  readonly version: number;
}

/** Locks a message until the transaction ends, so that it is unchanged when it is updated. */
async function lockMessage(tx: Tx, id: string, expectedVersion: number | undefined): Promise<Current> {
  const [message] = await tx.$queryRaw<Current[]>`
    SELECT status, status_before AS "statusBefore", version FROM messages WHERE id = ${id}::uuid FOR UPDATE`;
  if (!message) throw new Problem('not-found', 'There is no such message, or the caller may not see it.');
  if (expectedVersion !== undefined && message.version !== expectedVersion) {
    throw new Problem('version-changed', `The message is now at version ${message.version}. Read it again.`);
  }
  return message;
}

function statusAfter(to: Status | 'before', current: Current) {
  const status = to === 'before' ? (current.statusBefore ?? 'pending') : to;
  const statusBefore = status === 'rejected' ? current.status : null;
  // Only a held message has a cause; a rejected one keeps it, for when it is reopened.
  return { status, statusBefore, ...(status !== 'held' && statusBefore !== 'held' && { heldCause: null }) };
}
