import { requireMunicipality } from '@indbakke/shared/access';
import type { CaseBody, OPERATIONS } from '@indbakke/shared/api';
import { insertAudit } from '@indbakke/shared/audit';
import { Problem } from '@indbakke/shared/errors';
import type { Call } from '@indbakke/shared/http';
import type { Parts } from '@indbakke/shared/service';
import { run } from '@indbakke/shared/store';
import { recordDelivery } from '../replies/answered.js';
import { requestDueSuggestions } from '../suggestion/request-due-suggestions.js';
import { storeCases } from './store-cases.js';
import { requestSuggestionsOfSent, storeSentMessage, tellThatItIsStored } from './store-sent-message.js';

export type CoreParts = Pick<Parts, 'store' | 'keys' | 'queues'>;

/**
 * Registers a message that the core sent, or changes the given fields of one, and requests suggestions for the messages that
 * refer to it. A field that is undefined stays as it is. A message that it answers then shows whether it was delivered.
 *
 * @throws Problem bad-request for a new one without a case; not-found for an unknown municipality
 */
export async function registerSentMessage(
  parts: CoreParts,
  { principal, params: { messageUUID: messageUuid }, body, at }: Call<typeof OPERATIONS.registerSentMessage>,
): Promise<void> {
  const { municipality } = principal;
  const { caseId, messageId, recipientId, delivery } = body;
  const given = { messageUuid, caseId, messageId, recipientId, delivery };
  const stored = await parts.store.withTenantConnection(municipality, async (connection) => {
    await requireMunicipality((statement) => run(connection, statement), municipality);
    const stored = await storeSentMessage(connection, parts.keys, municipality, given);
    const details = { messageUuid, ...(caseId !== undefined && { caseId }), fields: fieldsOf(body) };
    await run(connection, insertAudit({ by: principal, at, action: 'sent-message-registered', details }));
    const { before } = stored;
    if (delivery !== undefined && before?.answeredMessageId && delivery !== before.delivery) {
      await recordDelivery(connection, { principal, at }, before.answeredMessageId, { messageUuid, delivery });
    }
    return stored;
  });
  await requestSuggestionsOfSent(parts, municipality, given, stored);
}

/**
 * Registers a case, or changes the given fields of one, and requests suggestions for the messages that refer to it. A field
 * that is undefined stays as it is.
 *
 * @throws Problem not-found for an unknown municipality; older-version when a newer one is registered; bad-request (refuseOwnMove)
 */
export async function upsertCase(
  { store, keys, queues }: CoreParts,
  { principal, params: { caseId }, body, at }: Call<typeof OPERATIONS.upsertCase>,
): Promise<void> {
  const { municipality } = principal;
  refuseOwnMove(body, municipality, 'body');
  const outcomes = await store.withTenantConnection(municipality, async (connection) => {
    await requireMunicipality((statement) => run(connection, statement), municipality);
    return storeCases(connection, keys, { principal, at }, [{ ...body, caseId }]);
  });
  if (outcomes.get(caseId) === 'older') {
    const detail = 'body.version: a newer version of the case is registered. Nothing is changed.';
    throw new Problem('older-version', detail, { path: 'body.version' });
  }
  await requestDueSuggestions({ store, queues }, municipality, [caseId]).catch(tellThatItIsStored);
}

/** @throws Problem bad-request when a case moved to, or came from, the municipality that has it */
export function refuseOwnMove(given: CaseBody, municipality: string, place: 'body' | 'line'): void {
  for (const field of ['movedTo', 'movedFrom'] as const) {
    const path = `${place}.${field}`;
    if (given[field] === municipality) {
      throw new Problem('bad-request', `${path}: must be another municipality than the one of the token.`, { path });
    }
  }
}

/** The names of the fields that were sent. */
function fieldsOf(body: object): string {
  return Object.entries(body)
    .flatMap(([name, value]) => (value === undefined ? [] : [name]))
    .join(' ');
}
