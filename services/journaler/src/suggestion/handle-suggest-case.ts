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
    const references = message.replyReferences as Reference[];
    const lookup = await loadLookup(tx, references, keys.digest(PARTY, message.details.senderId));
    await writeSuggestion(tx, { ...message, round }, suggestCase(references, lookup));
  });
  announce('suggestion-committed');
}

interface LookedAt {
  readonly id: string;
  readonly municipality: string;
  readonly kind: string;
  readonly round: number;
  readonly suggestedCaseId: string | null;
}

async function writeSuggestion(tx: Tx, message: LookedAt, suggestion: Suggestion | null): Promise<void> {
  const { id: messageId, municipality, round } = message;
  const at = new Date();
  const shows = suggestion !== null || message.suggestedCaseId !== null;
  const [written] = await tx.message.updateManyAndReturn({
    where: { id: messageId, suggestRound: round, status: 'pending' },
    data: {
      lookedAt: at,
      suggestedCaseId: suggestion?.caseId ?? null,
      suggestionBasis: suggestion?.basis ?? null,
      suggestionSender: suggestion?.sender ?? null,
      kind: kindAfter(message.kind, suggestion),
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

/** What names a letter of ours is a reply, also when its shape did not show that at intake. */
function kindAfter(kind: string, suggestion: Suggestion | null): string {
  const namesOurLetter = suggestion !== null && suggestion.basis !== 'case-id';
  return kind === 'enquiry' && namesOurLetter ? 'reply' : kind;
}
