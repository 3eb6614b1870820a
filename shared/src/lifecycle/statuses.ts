/** The statuses of a message, each with its meaning and who changes it. */
export const STATUSES = {
  pending: 'In the inbox, suggestion or not; a caseworker journalizes or rejects it.',
  held: 'Kept, but visible to set-up and operations only, until they release it.',
  journalized: 'On one or more cases, as the core confirmed. Final, unless taken back.',
  rejected: 'Not for this municipality to journalize. Can be reopened, or deleted for good with a separate role.',
  deleted: 'Gone for good: key destroyed, content and everything personal removed. The tombstone stays forever.',
} as const;

export type Status = keyof typeof STATUSES;

/** Whether somebody still has to act on it: only then do its clocks count. */
export function isWaiting(status: Status): boolean {
  return status === 'pending' || status === 'held';
}

/** Why a message is held. */
export const HELD_CAUSES = {
  conflict: 'Another message with the same id but other content arrived first. A person must look.',
  'not-live': 'The municipality has not gone live here.',
  'unknown-contact-point': 'Its contact point is not set up here.',
  'contact-point-off': 'Its contact point is not active, or not for messages of this kind.',
  'replies-off': 'The municipality has replies switched off.',
  'enquiries-off': 'The municipality has enquiries, including forwarded messages, switched off.',
} as const;

export type HeldCause = keyof typeof HELD_CAUSES;

/** Why a message was rejected. The code stays in the tombstone; the explanation does not. */
export const REJECTION_REASONS = {
  'wrong-municipality': 'Meant for another municipality.',
  'wrong-department': 'Meant for another department of this municipality.',
  'not-for-us': 'Concerns nothing that this case system handles.',
  unreadable: 'The content cannot be read.',
  duplicate: 'The same message was received already.',
  'handed-over': 'Another municipality of this installation has taken it over.',
  unwanted: 'Advertising, abuse and the like.',
  other: 'Another reason, given in words.',
} as const;

export type RejectionReason = keyof typeof REJECTION_REASONS;
