/** What a message can be, each with a sentence: what it means, who moves it on, how long it may stay. */
export const STATUSES = {
  pending: 'In the inbox, suggestion or not; a caseworker journalizes or rejects it. May stay; age is shown.',
  held: 'Kept, but shown to set-up and operations only, until they release it. Alarmed.',
  journalized: 'Safely on one or more cases, as the core confirmed. The end, unless it is taken back.',
  rejected: 'Not for this municipality to journalize. Can be reopened, or deleted for good with a role of its own.',
  deleted: 'Gone for good: key destroyed, content and everything personal removed. The tombstone stays for ever.',
} as const;

export type Status = keyof typeof STATUSES;

/** Why a message is held. */
export const HELD_CAUSES = {
  conflict: 'Another message with the same id but other content was here first. A person must look.',
  'replies-off': 'The municipality does not take replies in here.',
  'enquiries-off': 'The municipality does not take enquiries and forwarded messages in here.',
} as const;

export type HeldCause = keyof typeof HELD_CAUSES;

/** Why a message was rejected. The code stays in the tombstone; the words that go with it do not. */
export const REJECTION_REASONS = {
  'wrong-municipality': 'Meant for another municipality.',
  'wrong-department': 'Meant for another department of this municipality.',
  'not-for-us': 'Concerns nothing that this case system handles.',
  unreadable: 'The content cannot be read.',
  duplicate: 'The same message is here already.',
  unwanted: 'Advertising, abuse or the like.',
  other: 'Another reason, given in words.',
} as const;

export type RejectionReason = keyof typeof REJECTION_REASONS;
