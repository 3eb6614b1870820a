import type { Principal } from '@indbakke/shared/access';
import type { DocumentAnswer } from '@indbakke/shared/api';
import { recordAudit } from '@indbakke/shared/audit';
import { findMessage } from '@indbakke/shared/inbox';
import type { Store, Tx } from '@indbakke/shared/store';
import { describe } from './shapes.js';

/** Returns a whole message, and records in the audit log who read it. */
export async function readDocument(store: Store, principal: Principal, id: string, at: Date): Promise<DocumentAnswer> {
  const { municipality, actor } = principal;
  return store.withTenant(municipality, async (tx) => {
    const message = await findMessage(tx, principal, id);
    const contactPoints = await tx.contactPoint.findMany({ where: { contactPointId: message.contactPointId ?? '' } });
    const names = new Map(contactPoints.map((point) => [point.contactPointId, point.name]));
    const history = await historyOf(tx, id);
    await recordAudit(tx, { municipality, actor, at, action: 'read', messageId: id });
    return describe(message, names, history);
  });
}

// The audit log has these; the history shows a caseworker what happened to the message.
const NOT_HISTORY = ['read', 'read-file', 'read-zip', 'refused'];

async function historyOf(tx: Tx, messageId: string): Promise<DocumentAnswer['history']> {
  const events = await tx.auditEvent.findMany({
    where: { messageId, action: { notIn: NOT_HISTORY } },
    orderBy: [{ at: 'asc' }, { id: 'asc' }],
  });
  return events.map(({ at, action, actor, details }) => ({
    at: at.toISOString(),
    action,
    by: actor,
    details: details as Record<string, unknown>,
  }));
}
