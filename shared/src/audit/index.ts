import { newId, type Tx } from '../store/index.js';

/** Who did it: a caseworker, or a system (Serviceplatformen, the DUBU core, a worker of ours). */
export interface Actor {
  readonly kind: 'user' | 'system';
  /** User or system id of the token; never a name. */
  readonly id: string;
  /** The user or system that it was done for, when that is another. */
  readonly onBehalfOf?: string | undefined;
}

export const SERVICEPLATFORMEN: Actor = { kind: 'system', id: 'serviceplatformen' };
export const INDBAKKE: Actor = { kind: 'system', id: 'indbakke' };

export interface AuditEntry {
  readonly municipality: string;
  readonly actor: Actor;
  readonly at: Date;
  /** Verb of what was done: a change of a message (shared/src/lifecycle), or `read`, `read-file`, `read-zip`, `refused` … */
  readonly action: string;
  readonly messageId?: string;
  /** Codes and ids only, nothing personal. */
  readonly details?: Record<string, string | number | boolean>;
}

/** Writes one line of who did what, in the transaction of the deed: both are there or neither is. */
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
