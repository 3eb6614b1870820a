import type { SuggestionBasis, SuggestionSender } from '@indbakke/shared/lifecycle';

/** What a reply refers to, strongest first (shared/src/memo: referencesOf). */
export interface Reference {
  readonly kind: SuggestionBasis;
  readonly value: string;
}

/** What the core has told of, as far as the message refers to it; all of the receiving municipality. */
export interface Lookup {
  /** A letter that was sent, by its messageUUID. */
  sentByUuid(messageUuid: string): SentMessage | undefined;
  /** Letters that were sent, by the sender’s own messageID, which need not be unique. */
  sentById(messageId: string): readonly SentMessage[];
  knowsCase(caseId: string): boolean;
  /** Whether the sender of the message is a party to the case. */
  senderIsParty(caseId: string): boolean;
}

export interface SentMessage {
  readonly caseId: string;
  /** Whether the sender of the message is the one whom the letter was sent to. */
  readonly senderIsRecipient: boolean;
}

export interface Suggestion {
  readonly caseId: string;
  readonly basis: SuggestionBasis;
  readonly sender: SuggestionSender;
}

/**
 * The case that a reply belongs to, or null. The first reference that is known wins: they come strongest first, and the
 * newest link of the chain before the older ones. A text id that names letters of two cases names neither.
 *
 * The references pass through the citizen’s client, so this is a suggestion and never more: `sender` tells the caseworker
 * how far the sender fits.
 */
export function suggestCase(references: readonly Reference[], lookup: Lookup): Suggestion | null {
  for (const { kind, value } of references) {
    const found = find(kind, value, lookup);
    if (found) return { caseId: found.caseId, basis: kind, sender: senderOf(found, lookup) };
  }
  return null;
}

function find(kind: SuggestionBasis, value: string, lookup: Lookup): SentMessage | undefined {
  switch (kind) {
    case 'message-uuid':
      return lookup.sentByUuid(value);
    case 'message-id':
      return theOnly(lookup.sentById(value));
    case 'case-id':
      return lookup.knowsCase(value) ? { caseId: value, senderIsRecipient: false } : undefined;
  }
}

function theOnly(letters: readonly SentMessage[]): SentMessage | undefined {
  const cases = new Set(letters.map((letter) => letter.caseId));
  if (cases.size !== 1) return undefined;
  return letters.find((letter) => letter.senderIsRecipient) ?? letters[0];
}

function senderOf(letter: SentMessage, lookup: Lookup): SuggestionSender {
  if (letter.senderIsRecipient) return 'recipient-of-the-letter';
  return lookup.senderIsParty(letter.caseId) ? 'party-to-the-case' : 'other';
}
