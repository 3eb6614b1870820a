export const KINDS = {
  reply: 'A reply to a sent message.',
  enquiry: 'Everything that is neither a reply nor forwarded.',
  forwarded: 'Forwarded to us through Digital Post by another recipient.',
} as const;
export type Kind = keyof typeof KINDS;

export const CHANNELS = {
  sf1606: 'Digital Post, over REST or SOAP.',
  sf2900: 'Fordelingskomponenten: documents from other systems.',
} as const;
export type Channel = keyof typeof CHANNELS;

export const SUGGESTION_BASES = {
  'message-uuid': 'The reply names a message that was sent from the case.',
  'message-id': 'The reply carries the sender’s own id of a message that was sent from the case.',
  'case-id': 'The reply carries the number of the case.',
  'sag-forslag': 'The sending system suggests the case (SagForslag).',
} as const;
export type SuggestionBasis = keyof typeof SUGGESTION_BASES;

export const SUGGESTION_SENDERS = {
  'recipient-of-the-letter': 'The sender is the recipient of the sent message.',
  'party-to-the-case': 'The sender is a party to the case.',
  other: 'The sender is neither: check carefully.',
} as const;
export type SuggestionSender = keyof typeof SUGGESTION_SENDERS;

/** Whether a letter that was sent reached its recipient, as Digital Post told the core. */
export const DELIVERIES = {
  delivered: 'It was delivered (Afleveret).',
  failed: 'It was not (Fejlet), so nobody can answer it.',
} as const;
export type Delivery = keyof typeof DELIVERIES;

/** What a caseworker should see at once about a suggestion. */
export const SUGGESTION_WARNINGS = {
  'not-the-recipient': 'The letter was addressed to somebody else than the sender of the reply.',
} as const;
export type SuggestionWarning = keyof typeof SUGGESTION_WARNINGS;

/** How a party to a case is related to the child. */
export const PARTY_RELATIONS = {
  child: 'The child.',
  mother: 'The mother.',
  father: 'The father.',
  guardian: 'Another holder of custody, or a guardian.',
  professional: 'A professional, such as a teacher or an accommodation facility.',
  other: 'Somebody else.',
} as const;
export type PartyRelation = keyof typeof PARTY_RELATIONS;

export interface Assignee {
  readonly kind: 'user' | 'team';
  readonly id: string;
}
