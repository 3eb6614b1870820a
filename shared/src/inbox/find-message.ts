import { type Principal, seeingRoleOf, visibleTo } from '../access/index.js';
import { insertAudit } from '../audit/index.js';
import { Problem } from '../errors/index.js';
import { Prisma, type Store } from '../store/index.js';
import { isFile, OPENS_UNSAFE, type Opening, type Scanning } from './may-open.js';

const { sql } = Prisma;

/** What is read, for the audit log. */
export interface Reading {
  readonly action: 'read' | 'read-file' | 'read-text' | 'read-zip';
  readonly at: Date;
  /** Codes only, nothing personal. */
  readonly details?: Readonly<Record<string, string>>;
  /** It is recorded only if the message has this file, and the caller may open it. */
  readonly file?: { readonly id: string; readonly scanning: Scanning };
  /** A condition on `messages AS m`: it is recorded only then. For what is refused when the rule closes a file of it. */
  readonly only?: Prisma.Sql;
}

const UNSAFE = ['unsafe'] as const;

const hasThisFile = ({ id, scanning }: NonNullable<Reading['file']>, ...openings: readonly Opening[]) =>
  sql`EXISTS (SELECT FROM files f WHERE f.message_id = m.id AND f.id = ${id}::uuid AND ${isFile(scanning, ...openings)})`;

/**
 * Reads a message, if the caller sees it, and records who read it, and when a user first did: one statement, committed when
 * this resolves.
 *
 * @param columns of `messages AS m` and the tables that `tables` joins
 * @throws Problem not-found: it does not exist, is another municipality’s, is not visible to the caller, or is deleted
 */
export async function findMessage<Row extends object>(
  store: Store,
  principal: Principal,
  id: string,
  { action, at, file, only, details: codes }: Reading,
  { columns, tables }: { readonly columns: Prisma.Sql; readonly tables: Prisma.Sql },
): Promise<Row> {
  const details = file ? { ...codes, fileId: file.id } : codes;
  const mayOpen = file ? hasThisFile(file, 'open', ...(principal.roles.has(OPENS_UNSAFE) ? UNSAFE : [])) : sql`true`;
  const isRead = sql`${mayOpen} AND ${only ?? sql`true`}`;
  const isUnsafe = file && hasThisFile(file, ...UNSAFE);
  const recorded = isUnsafe
    ? {
        action: sql`CASE WHEN ${isUnsafe} THEN 'read-unsafe-file' ELSE ${action} END`,
        role: sql`CASE WHEN ${isUnsafe} THEN ${OPENS_UNSAFE} ELSE ${seeingRoleOf(principal)} END`,
      }
    : { role: seeingRoleOf(principal) };
  const statement = sql`
    WITH found AS (
      SELECT m.* FROM messages m WHERE m.id = ${id}::uuid AND ${visibleTo(principal)}
    ), audit AS (
      ${insertAudit({ by: principal, at, action, messageId: id, details }, recorded)}
      FROM found m WHERE ${isRead}
    ), first_look AS (
      UPDATE messages SET first_read_at = ${at}::timestamptz
      FROM (SELECT m.id FROM found m WHERE ${isRead}) AS m
      WHERE messages.id = m.id AND messages.first_read_at IS NULL AND ${principal.actor.kind}::text = 'user'
    )
    SELECT ${columns} FROM found m ${tables}`;
  const [row] = await store.query<Row>(principal.municipality, statement, 'kept');
  if (!row) throw new Problem('not-found', 'There is no such message, or the caller may not see it.');
  return row;
}
