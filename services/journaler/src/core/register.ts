import { requireMunicipality } from '@indbakke/shared/access';
import type { CaseBody, OPERATIONS } from '@indbakke/shared/api';
import { insertAudit } from '@indbakke/shared/audit';
import { Problem } from '@indbakke/shared/errors';
import type { Call } from '@indbakke/shared/http';
import { digestOfParty, type KeyRing } from '@indbakke/shared/keys';
import type { Parts } from '@indbakke/shared/service';
import { newId, run } from '@indbakke/shared/store';
import { requestDueSuggestions } from '../suggestion/request-due-suggestions.js';
import { requestSuggestions } from '../suggestion/request-suggestions.js';
import { storeCases } from './store-cases.js';

export type CoreParts = Pick<Parts, 'store' | 'keys' | 'queues'>;

/**
 * Registers a message that the core sent, or changes the given fields of one, and requests suggestions for the messages that
 * refer to it. A field that is undefined stays as it is.
 *
 * @throws Problem bad-request for a new one without a case; not-found for an unknown municipality
 */
export async function registerSentMessage(
  { store, keys, queues }: CoreParts,
  { principal, params: { messageUUID: messageUuid }, body, at }: Call<typeof OPERATIONS.registerSentMessage>,
): Promise<void> {
  const { municipality } = principal;
  const { caseId, messageId, recipientId } = body;
  const given = {
    ...(caseId !== undefined && { caseId }),
    ...(messageId !== undefined && { messageId }),
    ...(recipientId !== undefined && { recipientDigest: recipientId === null ? null : digestOf(keys, recipientId) }),
  };
  const where = { municipality_messageUuid: { municipality, messageUuid } };
  const { messageIds, isNewCase } = await store.withTenant(municipality, async (tx) => {
    await requireMunicipality((statement) => tx.$queryRaw(statement), municipality);
    const before = await tx.sentMessage.findUnique({ where, select: { messageId: true } });
    let isNewCase = false;
    if (caseId === undefined) {
      if (!before)
        throw new Problem('bad-request', 'body.caseId: is required the first time.', { path: 'body.caseId' });
      await tx.sentMessage.updateMany({ where: { municipality, messageUuid }, data: given });
    } else {
      // The message may be registered before its case, or at the same time; neither PUT may fail because of the other.
      const data = { municipality, caseId, suggestionsDue: newId() };
      const { count } = await tx.case.createMany({ data, skipDuplicates: true });
      isNewCase = count > 0;
      await tx.sentMessage.upsert({ where, create: { municipality, messageUuid, ...given, caseId }, update: given });
    }
    const details = { messageUuid, ...(caseId !== undefined && { caseId }), fields: fieldsOf(body) };
    await tx.$executeRaw(insertAudit({ by: principal, at, action: 'sent-message-registered', details }));
    return { messageIds: [before?.messageId, messageId], isNewCase };
  });
  await requestSuggestions({ store, queues }, municipality, [
    { kind: 'message-uuid', value: messageUuid },
    // Also by the former id: what was suggested through it may be wrong now.
    ...[...new Set(messageIds)].flatMap((value) => (value ? [{ kind: 'message-id' as const, value }] : [])),
  ]).catch(tellThatItIsStored);
  if (isNewCase) {
    // A reply may name the case only.
    await requestDueSuggestions({ store, queues }, municipality, [caseId as string]).catch(tellThatItIsStored);
  }
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

function tellThatItIsStored(cause: unknown): never {
  const detail = 'The registration is stored, but pending replies may not get their suggestion. Send it again.';
  throw new Problem('unknown-outcome', detail, { cause });
}

/** CPR and CVR numbers are only ever compared, so they are stored as keyed hashes. */
function digestOf(keys: KeyRing, id: string): Uint8Array<ArrayBuffer> {
  return new Uint8Array(digestOfParty(keys, id));
}
