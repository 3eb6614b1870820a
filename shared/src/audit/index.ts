import { newId, type Tx } from '../store/index.js';

/** Who did it: a caseworker, or a system (Serviceplatformen, the DUBU core, one of our workers). */
export interface Actor {
  readonly kind: 'user' | 'system';
  /** User or system id from the token; never a name. */
  readonly id: string;
  /** The user or system that it was done for, if another. */
  readonly onBehalfOf?: string | undefined;
}

export const SERVICEPLATFORMEN: Actor = { kind: 'system', id: 'serviceplatformen' };
export const INDBAKKE: Actor = { kind: 'system', id: 'indbakke' };

export interface AuditEntry {
  readonly municipality: string;
  readonly actor: Actor;
  readonly at: Date;
  /** What was done: a change of a message (shared/src/lifecycle), or `read`, `read-file`, `read-zip`, `refused` … */
  readonly action: string;
  readonly messageId?: string;
  /** Codes and ids only, nothing personal. */
  readonly details?: Record<string, string | number | boolean>;
}

/** Records who did what, in the same transaction as what was done. */
export async function recordAudit(tx: Tx, entry: AuditEntry): Promise<void> {
  await tx.auditEvent.create({
    data: {
      id: newId(),
      at: entry.at,
      municipality: entry.municipality,
      actorKind: entry.actor.kind,
      actor: entry.actor.id,
      onBehalfOf: entry.actor.onBehalfOf ?? null,
      action: entry.action,
      messageId: entry.messageId ?? null,
      details: entry.details ?? {},
    },
  });
}
