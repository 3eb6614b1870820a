import type { Principal } from '../access/index.js';
import { Problem } from '../errors/index.js';
import { newId, Prisma, type Tx } from '../store/index.js';
import { RECORD_CHANGES } from './record-changes.js';
import type { Status } from './statuses.js';
import { CHANGES, type Change } from './transitions.js';

/** A change of one message that someone asks for. */
export interface ChangeRequest {
  readonly principal: Principal;
  readonly id: string;
  /** The version that the caller read; undefined = whatever it is now. */
  readonly expectedVersion: number | undefined;
  readonly at: Date;
}

/** What a change brings besides status and version. */
export interface ChangeColumns {
  /** Further columns of `messages`. */
  readonly set?: Prisma.MessageUncheckedUpdateManyInput;
  /** For the audit log: codes and ids only. */
  readonly details?: Record<string, string | number | boolean>;
}

/**
 * Changes a message: the only way that a status, an assignment or a version changes after intake, but for suggestions, which
 * are written many at a time (RECORD_CHANGES). Updates only if the status (and the version, when given) is the expected one,
 * and writes the event and the audit row in the same transaction.
 *
 * @throws Problem not-found, version-changed (someone was first) or wrong-status (the table allows no such change)
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
    const needed = from.join(' or ');
    throw new Problem('wrong-status', `The message is ${current.status}; this change needs one that is ${needed}.`);
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

interface Current {
  readonly status: Status;
  readonly statusBefore: Status | null;
  readonly version: number;
}

/** Locks a message until the transaction ends: what is read here is still so when it is updated. */
async function lockMessage(tx: Tx, id: string, expectedVersion: number | undefined): Promise<Current> {
  const [message] = await tx.$queryRaw<Current[]>`
    SELECT status, status_before AS "statusBefore", version FROM messages WHERE id = ${id}::uuid FOR UPDATE`;
  if (!message) throw new Problem('not-found', 'There is no such message, or you may not see it.');
  if (expectedVersion !== undefined && message.version !== expectedVersion) {
    throw new Problem('version-changed', `The message is at version ${message.version} now. Read it again.`);
  }
  return message;
}

function statusAfter(to: Status | 'before', current: Current) {
  const status = to === 'before' ? (current.statusBefore ?? 'pending') : to;
  const statusBefore = status === 'rejected' ? current.status : null;
  // The cause goes with being held; a rejected message keeps it, to be held again when it is reopened.
  return { status, statusBefore, ...(status !== 'held' && statusBefore !== 'held' && { heldCause: null }) };
}
