import type { Principal } from '../access/index.js';
import type { Actor } from '../audit/index.js';
import { recordAudit } from '../audit/index.js';
import { Problem } from '../errors/index.js';
import { newId, type Prisma, type Tx } from '../store/index.js';
import type { Status } from './statuses.js';
import { TRANSITIONS, type Transition } from './transitions.js';

export interface TransitionRequest {
  readonly messageId: string;
  readonly municipality: string;
  readonly transition: Exclude<Transition, 'accepted' | 'held'>;
  /** The version that the caller read; undefined = whatever it is now. */
  readonly expectedVersion: number | undefined;
  readonly actor: Actor;
  readonly at: Date;
  /** Further columns that change with the step. */
  readonly set?: Prisma.MessageUncheckedUpdateManyInput;
  /** For the audit log: codes and ids only. */
  readonly details?: Record<string, string | number | boolean>;
}

export interface TransitionResult {
  readonly status: Status;
  readonly version: number;
}

/**
 * Moves a message on: the only way that a status changes after intake. Updates only if the status (and the version, when
 * given) is still the expected one, and writes the change event and the audit row in the same transaction.
 *
 * @throws Problem not-found, version-changed (someone was first) or wrong-status (the table has no such step)
 */
export async function transition(tx: Tx, request: TransitionRequest): Promise<TransitionResult> {
  const { messageId, municipality, actor, at } = request;
  const { from, to } = TRANSITIONS[request.transition];
  const current = await lockMessage(tx, messageId, request.expectedVersion);
  if (!(from as readonly Status[]).includes(current.status)) {
    const needed = from.join(' or ');
    throw new Problem('wrong-status', `The message is ${current.status}; this step needs one that is ${needed}.`);
  }

  const status = to === 'before' ? (current.statusBefore ?? 'pending') : to;
  const statusBefore = status === 'rejected' ? current.status : null;
  const version = current.version + 1;
  await tx.message.update({
    where: { id: messageId },
    data: {
      ...request.set,
      status,
      statusBefore,
      // The cause goes with being held; a rejected message keeps it, to be held again when it is reopened.
      ...(status !== 'held' && statusBefore !== 'held' && { heldCause: null }),
      statusAt: at,
      statusBy: actor.id,
      version,
    },
  });
  await recordChange(tx, { municipality, messageId, type: request.transition, status, version, at });
  await recordAudit(tx, {
    municipality,
    actor,
    at,
    action: request.transition,
    messageId,
    ...(request.details && { details: request.details }),
  });
  return { status, version };
}

export interface LockedMessage {
  readonly status: Status;
  readonly statusBefore: Status | null;
  readonly version: number;
}

/**
 * Locks a message until the transaction ends: what is read here is still so when it is updated.
 *
 * @throws Problem not-found, or version-changed when someone was first
 */
export async function lockMessage(tx: Tx, id: string, expectedVersion: number | undefined): Promise<LockedMessage> {
  const [message] = await tx.$queryRaw<LockedMessage[]>`
    SELECT status, status_before AS "statusBefore", version FROM messages WHERE id = ${id}::uuid FOR UPDATE`;
  if (!message) throw new Problem('not-found', 'There is no such message, or you may not see it.');
  if (expectedVersion !== undefined && message.version !== expectedVersion) {
    throw new Problem('version-changed', `The message is at version ${message.version} now. Read it again.`);
  }
  return message;
}

export interface Change {
  readonly municipality: string;
  readonly messageId: string;
  readonly type: string;
  readonly status: Status;
  readonly version: number;
  readonly at: Date;
}

/** Puts a change into the feed, in the transaction that makes it. Nothing personal. */
export async function recordChange(tx: Tx, change: Change): Promise<void> {
  await tx.event.create({ data: { id: newId(), ...change } });
}

/** A step that a caller asks for, as the handlers of the API pass it on. */
export interface StepRequest {
  readonly principal: Principal;
  readonly id: string;
  readonly expectedVersion: number;
  readonly at: Date;
}
