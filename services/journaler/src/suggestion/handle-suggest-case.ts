import { INDBAKKE, recordAudit } from '@indbakke/shared/audit';
import { type KeyRing, PARTY } from '@indbakke/shared/content';
import { recordChange, type Status } from '@indbakke/shared/lifecycle';
import type { SuggestCaseData } from '@indbakke/shared/queue';
import { announce } from '@indbakke/shared/steps';
import type { Store, Tx } from '@indbakke/shared/store';
import { loadLookup } from './load-lookup.js';
import { type Reference, type Suggestion, suggestCase } from './suggest-case.js';

/**
 * Looks at one message and writes down which case it seems to belong to. Returns quietly when the work is done already,
 * is no longer wanted, or when the message was put up for another look meanwhile (its round was raised).
 */
export async function handleSuggestCase(
  { store, keys }: { store: Store; keys: KeyRing },
  { messageId, municipality, round }: SuggestCaseData,
): Promise<void> {
  await store.withTenant(municipality, async (tx) => {
    const message = await tx.message.findFirst({
      where: { id: messageId, suggestRound: round, lookedAt: null, status: 'pending' },
      include: { details: true, replyReferences: { orderBy: { position: 'asc' } } },
    });
    if (!message?.details) return;
    const references = evidenceOf(message.kind, message.replyReferences as Reference[]);
    const lookup = await loadLookup(tx, references, keys.digest(PARTY, message.details.senderId));
    await writeSuggestion(tx, { ...message, round }, suggestCase(references, lookup));
  });
  announce('suggestion-committed');
}

/**
 * Only a reply gets a suggestion. What did not look like one at intake becomes one by naming a letter of ours, not by the
 * number of a case: other municipalities number theirs the same way.
 */
function evidenceOf(kind: string, references: Reference[]): Reference[] {
  return kind === 'enquiry' ? references.filter((reference) => reference.kind !== 'case-id') : references;
}

interface LookedAt {
  readonly id: string;
  readonly municipality: string;
  readonly kind: string;
  readonly round: number;
  readonly suggestedCaseId: string | null;
  readonly suggestionBasis: string | null;
  readonly suggestionSender: string | null;
}

async function writeSuggestion(tx: Tx, message: LookedAt, suggestion: Suggestion | null): Promise<void> {
  const { id: messageId, municipality, round } = message;
  const at = new Date();
  const shows = differs(message, suggestion);
  const [written] = await tx.message.updateManyAndReturn({
    where: { id: messageId, suggestRound: round, lookedAt: null, status: 'pending' },
    data: {
      lookedAt: at,
      suggestedCaseId: suggestion?.caseId ?? null,
      suggestionBasis: suggestion?.basis ?? null,
      suggestionSender: suggestion?.sender ?? null,
      kind: suggestion ? 'reply' : message.kind,
      ...(shows && { version: { increment: 1 } }),
    },
    select: { version: true, status: true },
  });
  if (!written || !shows) return;
  const status = written.status as Status;
  await recordChange(tx, { municipality, messageId, type: 'suggested', status, version: written.version, at });
  await recordAudit(tx, {
    municipality,
    actor: INDBAKKE,
    at,
    action: 'suggested',
    messageId,
    details: suggestion ? { caseId: suggestion.caseId, basis: suggestion.basis, sender: suggestion.sender } : {},
  });
}

/** A look that finds what stood there already changes nothing that a caseworker sees, so nobody’s If-Match may fail for it. */
function differs(message: LookedAt, suggestion: Suggestion | null): boolean {
  return (
    message.suggestedCaseId !== (suggestion?.caseId ?? null) ||
    message.suggestionBasis !== (suggestion?.basis ?? null) ||
    message.suggestionSender !== (suggestion?.sender ?? null)
  );
}
