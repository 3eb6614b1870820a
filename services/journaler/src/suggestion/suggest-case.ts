import type { PartyRelation, SuggestionBasis, SuggestionSender, SuggestionWarning } from '@indbakke/shared/lifecycle';

/** What a reply refers to. */
export interface Reference {
  readonly kind: SuggestionBasis;
  readonly value: string;
}

/** What the core has registered that the message refers to, all of the receiving municipality. */
export interface Lookup {
  sentByUuid(messageUuid: string): SentMessage | undefined;
  /** By the core’s own messageID, which need not be unique. */
  sentById(messageId: string): readonly SentMessage[];
  knowsCase(caseId: string): boolean;
  /** Whether the sender of the message is a party to the case. */
  senderIsParty(caseId: string): boolean;
  /** How that party is related to the child; null when it is none, or the core has not told. */
  senderRelation(caseId: string): PartyRelation | null;
}

export interface SentMessage {
  readonly caseId: string;
  /** Whether the sender of the reply is the recipient of the sent message; undefined when the core has not told the recipient. */
  readonly senderIsRecipient: boolean | undefined;
}

export interface Suggestion {
  readonly caseId: string;
  readonly basis: SuggestionBasis;
  readonly sender: SuggestionSender;
  readonly party: PartyRelation | null;
  readonly warning: SuggestionWarning | null;
}

/**
 * The case that a reply seems to belong to, or null. The first known reference wins. A text id of sent messages from two cases
 * counts as unknown.
 *
 * @param references strongest first, and newer links of a chain before older ones. They pass through the citizen’s client, so
 *   the result is never more than a suggestion; its `sender`, `party` and `warning` show the caseworker how well the sender fits.
 */
export function suggestCase(references: readonly Reference[], lookup: Lookup): Suggestion | null {
  for (const { kind, value } of references) {
    const found = find(kind, value, lookup);
    if (!found) continue;
    const { caseId, senderIsRecipient } = found;
    return {
      caseId,
      basis: kind,
      sender: senderOf(found, lookup),
      party: lookup.senderRelation(caseId),
      warning: senderIsRecipient === false ? 'not-the-recipient' : null,
    };
  }
  return null;
}

function find(kind: SuggestionBasis, value: string, lookup: Lookup): SentMessage | undefined {
  switch (kind) {
    case 'message-uuid':
      return lookup.sentByUuid(value);
    case 'message-id':
      return ofOneCase(lookup.sentById(value));
    case 'case-id':
    case 'sag-forslag':
      return lookup.knowsCase(value) ? { caseId: value, senderIsRecipient: undefined } : undefined;
  }
}

function ofOneCase(sent: readonly SentMessage[]): SentMessage | undefined {
  const cases = new Set(sent.map(({ caseId }) => caseId));
  if (cases.size !== 1) return undefined;
  const to = (isRecipient: boolean | undefined) => sent.find((one) => one.senderIsRecipient === isRecipient);
  return to(true) ?? to(undefined) ?? to(false);
}

function senderOf({ caseId, senderIsRecipient }: SentMessage, lookup: Lookup): SuggestionSender {
  if (senderIsRecipient) return 'recipient-of-the-letter';
  return lookup.senderIsParty(caseId) ? 'party-to-the-case' : 'other';
}
