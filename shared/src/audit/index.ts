export * from './chain.js';

import { newId, Prisma, type Store } from '../store/index.js';
import type { Action } from './actions.js';

export { ACTIONS, type Action } from './actions.js';
export * from './anchor.js';
export * from './subjects.js';
export * from './verify-chain.js';

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
/** Whoever may use the login of the owner of the tables: npm run municipality. */
export const OWNER: Actor = { kind: 'system', id: 'municipality-apply' };
/** Whose names no token may have: the audit log must tell them from callers. */
export const OUR_SYSTEMS: ReadonlySet<string> = new Set([SERVICEPLATFORMEN, INDBAKKE, OWNER].map(({ id }) => id));

/**
 * In place of a municipality: what concerns none, such as the quarantine and what operators do. It is no CVR number, so no token of
 * a municipality has it.
 */
export const INSTALLATION = 'installation';

/** Who did it, in which municipality, by which right and from where. A caller of the API is one (Principal). */
export interface Doer {
  /** CVR number, or INSTALLATION. */
  readonly municipality: string;
  readonly actor: Actor;
  /** The role that allowed it; undefined for our own systems, and where no role did. */
  readonly role?: string | undefined;
  /** The address that the call came from; undefined for what was not called. */
  readonly origin?: string | undefined;
  /** CVR number of the caller’s own authority, where it is another one. */
  readonly home?: string | undefined;
}

export interface AuditEntry {
  readonly by: Doer;
  readonly at: Date;
  readonly action: Action;
  /** `done`, or the code of the error. */
  readonly result?: string;
  readonly messageId?: string | undefined;
  /** Keyed hash (digestOfParty) of the one number that was searched for. */
  readonly citizen?: Buffer | undefined;
  /** Codes and ids only, nothing personal. */
  readonly details?: Record<string, string | number | boolean> | undefined;
}

/** Records who did what. */
export async function recordAudit(store: Store, entry: AuditEntry): Promise<void> {
  await store.query(entry.by.municipality, insertAudit(entry), 'kept');
}

interface Found {
  readonly id?: Prisma.Sql;
  readonly action?: Prisma.Sql;
  readonly role?: Prisma.Sql;
  readonly messageId?: Prisma.Sql;
  readonly citizen?: Prisma.Sql;
  readonly details?: Prisma.Sql;
}

/**
 * The same as a statement, so that it can be part of the one that does it: with FROM after it, a row for each row there.
 *
 * @param found what only that statement knows, of what is in FROM; `details` are more of them, as jsonb
 */
export function insertAudit(
  { by, at, action, result = 'done', messageId, citizen, details = {} }: AuditEntry,
  found: Found = {},
): Prisma.Sql {
  const { municipality, actor } = by;
  const ofBy = { ...details, ...homeOf(by) };
  const more = found.details ? Prisma.sql` || ${found.details}` : Prisma.empty;
  return Prisma.sql`
    INSERT INTO audit_events (id, at, municipality, actor_kind, actor, on_behalf_of, role, origin, action, result, message_id,
      citizen, details)
    SELECT ${found.id ?? Prisma.sql`${newId()}::uuid`}, ${at}::timestamptz, ${municipality}, ${actor.kind}, ${actor.id}, ${actor.onBehalfOf ?? null},
      ${found.role ?? Prisma.sql`${by.role ?? null}::text`}, ${by.origin ?? null}, ${found.action ?? Prisma.sql`${action}`}, ${result}, ${found.messageId ?? Prisma.sql`${messageId ?? null}::uuid`},
      ${found.citizen ?? Prisma.sql`decode(${citizen?.toString('hex') ?? null}::text, 'hex')`}, ${JSON.stringify(ofBy)}::jsonb${more}`;
}

/** For the details of an audit row: that who did it is of another authority. */
export const homeOf = ({ home }: Doer) => (home === undefined ? {} : { homeMunicipality: home });

/** Records that the same was done with each of these messages. */
export function insertAuditOfEach(entry: AuditEntry, messageIds: readonly string[]): Prisma.Sql {
  const each = { id: Prisma.sql`e.id`, messageId: Prisma.sql`e.message_id` };
  return Prisma.sql`
    ${insertAudit(entry, each)}
    FROM unnest(${messageIds.map(() => newId())}::uuid[], ${[...messageIds]}::uuid[]) AS e (id, message_id)`;
}
