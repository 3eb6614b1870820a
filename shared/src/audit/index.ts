import { newId, Prisma, type Store } from '../store/index.js';

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
  /** What was done: a change of a message (shared/src/lifecycle), or `read`, `read-file`, `read-text`, `read-zip`, `refused` … */
  readonly action: string;
  readonly messageId?: string | undefined;
  /** Codes and ids only, nothing personal. */
  readonly details?: Record<string, string | number | boolean> | undefined;
}

/** Records who did what. */
export async function recordAudit(store: Store, entry: AuditEntry): Promise<void> {
  await store.query(entry.municipality, insertAudit(entry), 'kept');
}

/** The same as a statement, so that it can be part of the one that does it: with FROM after it, a row for each row there. */
export function insertAudit({ municipality, actor, at, action, messageId, details = {} }: AuditEntry): Prisma.Sql {
  return Prisma.sql`
    INSERT INTO audit_events (id, at, municipality, actor_kind, actor, on_behalf_of, action, message_id, details)
    SELECT ${newId()}::uuid, ${at}::timestamptz, ${municipality}, ${actor.kind}, ${actor.id}, ${actor.onBehalfOf ?? null},
      ${action}, ${messageId ?? null}::uuid, ${JSON.stringify(details)}::jsonb`;
}
