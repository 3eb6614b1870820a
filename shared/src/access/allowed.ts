import { allowsConcernChange, CONCERN_CHANGES, type ConcernChange, type ConcernTimes } from '../lifecycle/concern.js';
import {
  DELETION_CHANGES,
  type DeletionChange,
  type DeletionFacts,
  deletionStateOf,
  refusalOfDeletion,
} from '../lifecycle/deletion.js';
import type { Channel } from '../lifecycle/message.js';
import { isOnItsWay, maySendOn } from '../lifecycle/onward.js';
import type { Status } from '../lifecycle/statuses.js';
import { CALLERS_CHANGES, type CallersChange } from '../lifecycle/transitions.js';
import { ownIdOf, personOf } from './person.js';
import type { Principal } from './principal.js';
import type { Role } from './roles.js';

/** What decides, besides the roles of the caller, which changes of a message are possible now. */
export interface ChangeableMessage extends ConcernTimes, DeletionFacts {
  readonly status: Status;
  readonly channel: Channel;
  readonly assigneeKind: 'user' | 'team' | null;
  readonly assigneeId: string | null;
  readonly contentRemovedAt: Date | null;
  /** Roles of the caller that do not reach it (rolesBeyond). */
  readonly beyond: readonly string[];
  /** Of the case that it is suggested for. */
  readonly movedTo: string | null;
  /** The sender of a document knows that it was rejected, or may. */
  readonly rejectionTold: boolean;
  /** What the scan of its files keeps from being done (may-open.ts). Undefined: nobody has looked. */
  readonly scans?: {
    readonly isAnyHeld: boolean;
    /** All files that would be sent on are open. */
    readonly isSendable: boolean;
  };
}

/** The changes that a caller who sees the message may make now, in the order of the table of changes. */
export function allowedChanges(principal: Principal, message: ChangeableMessage): CallersChange[] {
  const changes = Object.keys(CALLERS_CHANGES) as CallersChange[];
  return changes.filter((change) => isAllowed(principal, message, change));
}

function isAllowed({ roles, actor, teams }: Principal, message: ChangeableMessage, change: CallersChange): boolean {
  const { from, roles: needed } = CALLERS_CHANGES[change];
  const { status, assigneeKind: kind, assigneeId: id } = message;
  const hasOne = (some: readonly Role[]) => some.some((role) => roles.has(role) && !message.beyond.includes(role));
  if (!(from as readonly Status[]).includes(status) || !hasOne(needed)) return false;
  if (change === 'unassigned') {
    const isAssignee = id !== null && (kind === 'user' ? id === ownIdOf(actor) : teams.includes(id));
    return isAssignee || (id !== null && hasOne(CALLERS_CHANGES.assigned.roles));
  }
  // Whether it is offered already is not known here: `handover` of the message says so. The sender of a document by
  // Fordelingskomponenten would hear that it was rejected, when in truth it was taken over.
  if (change === 'handover-offered' || change === 'handover-withdrawn') {
    return message.movedTo !== null && message.channel !== 'sf2900';
  }
  // It would be in the inbox with nothing to see of it.
  if (change === 'taken-back' && message.contentRemovedAt !== null) return false;
  if (change === 'reopened' && (message.rejectionTold || isOnItsWay(message.onward))) return false;
  if (change === 'distribution-asked') {
    if (message.scans?.isSendable === false) return false;
    return maySendOn(message.onward) && deletionStateOf(message) === null && message.fileFetch !== 'waiting';
  }
  // The core could not fetch all of its content yet.
  if (change === 'journalized' && (message.fileFetch === 'waiting' || message.scans?.isAnyHeld)) return false;
  if (isOfDeletion(change)) return refusalOfDeletion(message, change, personOf(actor)) === undefined;
  return !isOfConcern(change) || allowsConcernChange(message, change);
}

function isOfConcern(change: CallersChange): change is ConcernChange {
  return change in CONCERN_CHANGES;
}

function isOfDeletion(change: CallersChange): change is DeletionChange {
  return (DELETION_CHANGES as readonly CallersChange[]).includes(change);
}
