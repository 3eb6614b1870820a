import type { FetchStatus } from './distribution.js';
import { isOnItsWay, type OnwardStatus } from './onward.js';

/** How far the deletion of a rejected message is that is not deleted yet. */
export const DELETION_STATES = {
  requested: 'It waits for another person to confirm it.',
  scheduled: 'The message is destroyed at its due time, unless that is cancelled.',
} as const;
export type DeletionState = keyof typeof DELETION_STATES;

/** What decides whether a message may be deleted, besides its status. */
export interface DeletionFacts {
  readonly legalHold: boolean;
  /** Null: no deletion waits or runs. */
  readonly deletionRequestedAt: Date | null;
  /** The person who asked for it; the system, where no person did. */
  readonly deletionRequestedBy: string | null;
  /** Null: it is not decided yet. */
  readonly deletionDueAt: Date | null;
  /** Of the file of a document; null: none comes separately. */
  readonly fileFetch: FetchStatus | null;
  /** How far it is with being sent on; null: it is not. */
  readonly onward: OnwardStatus | null;
}

export function deletionStateOf({ deletionRequestedAt, deletionDueAt }: DeletionFacts): DeletionState | null {
  if (!deletionRequestedAt) return null;
  return deletionDueAt ? 'scheduled' : 'requested';
}

export const DELETION_CHANGES = [
  'deleted',
  'deletion-confirmed',
  'deletion-cancelled',
  'legal-hold-set',
  'legal-hold-lifted',
] as const;
export type DeletionChange = (typeof DELETION_CHANGES)[number];

/** Codes of errors. */
export type DeletionRefusal =
  | 'legal-hold'
  | 'wrong-legal-hold'
  | 'wrong-deletion'
  | 'second-person-needed'
  | 'file-on-its-way'
  | 'sent-on';

/**
 * Why the change of a message is not possible; undefined if it is.
 *
 * @param person who asks for the change (personOf); a system that acts by itself is no second person
 */
export function refusalOfDeletion(
  facts: DeletionFacts,
  change: DeletionChange,
  person: string | undefined,
): DeletionRefusal | undefined {
  const { legalHold, deletionRequestedBy, fileFetch, onward } = facts;
  const state = deletionStateOf(facts);
  if (change === 'legal-hold-set') return legalHold ? 'wrong-legal-hold' : undefined;
  if (change === 'legal-hold-lifted') return legalHold ? undefined : 'wrong-legal-hold';
  if (change === 'deletion-cancelled') return state === null ? 'wrong-deletion' : undefined;
  if (legalHold) return 'legal-hold';
  // It would stay at the far end, where nobody would know of it.
  if (fileFetch === 'waiting') return 'file-on-its-way';
  if (isOnItsWay(onward)) return 'sent-on';
  if (change === 'deleted') return state === null ? undefined : 'wrong-deletion';
  if (state !== 'requested') return 'wrong-deletion';
  return person === undefined || person === deletionRequestedBy ? 'second-person-needed' : undefined;
}
