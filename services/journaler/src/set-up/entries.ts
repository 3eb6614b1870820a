import type { Principal } from '@indbakke/shared/access';
import { insertAudit } from '@indbakke/shared/audit';
import { Problem } from '@indbakke/shared/errors';
import { type IdempotencyKey, once } from '@indbakke/shared/idempotency';
import type { Parts } from '@indbakke/shared/service';
import { type Connection, newId, Prisma, run } from '@indbakke/shared/store';
import { changesBetween, recordSettingsChange, type SettingsDifference, settingsDetails } from './changes.js';
import { requireVersion } from './municipality.js';

// What a municipality sets up under ids of their own, one by one or many at once: contact points and departments. A removed one
// keeps its row, so that messages keep its name.

const { sql } = Prisma;

type SetUpParts = Pick<Parts, 'store'>;

interface HasId {
  readonly id: string;
  readonly name: string;
}

/** What differs between contact points and departments. */
export interface EntryKind<Entry extends HasId> {
  readonly name: 'contact-point' | 'department';
  /** Its field in the audit log. */
  readonly field: 'contactPoint' | 'department';
  readonly table: Prisma.Sql;
  /** The column of its id. */
  readonly id: Prisma.Sql;
  /** Selects an Entry with its version. */
  readonly columns: Prisma.Sql;
  /** The fields of an Entry but its id, as PostgreSQL reads them from JSON. */
  readonly fields: { readonly [Field in Exclude<keyof Entry, 'id'>]-?: 'text' | 'bool' | 'text[]' | 'jsonb' };
  /** Adds or replaces the rows `given`. */
  readonly store: (municipality: string) => Prisma.Sql;
  /** Until the transaction ends, nobody else changes one. @throws Problem not-found for an unknown municipality */
  readonly lock: (connection: Connection, municipality: string) => Promise<void>;
  /** What is done after a change, in its transaction. */
  readonly thenDo?: (connection: Connection, municipality: string) => Promise<void>;
  readonly exists: () => Problem;
}

/** An Entry as it is set up. */
type Stored<Entry> = Entry & { readonly version: number };
type Known<Entry> = Stored<Entry> & { readonly isRemoved: boolean };

/** An Entry as it should be, beside what is set up. */
export interface Compared<Entry> {
  readonly entry: Entry;
  readonly is: 'added' | 'changed' | 'unchanged';
  readonly difference: SettingsDifference;
  /** Also one that was removed. */
  readonly known: Known<Entry> | undefined;
}

interface By {
  readonly principal: Principal;
  readonly at: Date;
}

/** Selects those that are not removed, by name. */
export function listed<Entry extends HasId>(
  { table, id, columns }: EntryKind<Entry>,
  municipality: string,
): Prisma.Sql {
  return sql`
    SELECT ${columns} FROM ${table} WHERE municipality = ${municipality} AND removed_at IS NULL ORDER BY name, ${id}`;
}

export async function listEntries<Entry extends HasId>(
  kind: EntryKind<Entry>,
  { store }: SetUpParts,
  { municipality }: Principal,
): Promise<{ items: Stored<Entry>[] }> {
  return { items: await store.query<Stored<Entry>>(municipality, listed(kind, municipality), 'kept') };
}

/** @throws Problem not-found */
export async function readEntry<Entry extends HasId>(
  kind: EntryKind<Entry>,
  { store }: SetUpParts,
  { municipality }: Principal,
  id: string,
): Promise<Stored<Entry>> {
  const [found] = await store.query<Stored<Entry>>(
    municipality,
    sql`SELECT ${kind.columns} FROM ${kind.table} WHERE ${isOne(kind, municipality, id)} AND removed_at IS NULL`,
    'kept',
  );
  if (!found) throw noSuch(kind);
  return found;
}

/** @throws Problem not-found for a token of an unknown municipality; that of `exists`; key-reused */
export async function addEntry<Entry extends HasId>(
  kind: EntryKind<Entry>,
  { store }: SetUpParts,
  { principal, body, at, idempotencyKey }: By & { body: Entry; idempotencyKey: IdempotencyKey | undefined },
): Promise<{ id: string; version: number }> {
  const { municipality } = principal;
  return store.withTenantConnection(municipality, (connection) =>
    once(connection, municipality, idempotencyKey, async () => {
      await kind.lock(connection, municipality);
      const compared = await compare(kind, connection, municipality, [body]);
      if (compared[0]?.is !== 'added') throw kind.exists();
      await setEntries(kind, connection, { principal, at }, compared);
      return { id: body.id, version: (compared[0].known?.version ?? 0) + 1 };
    }),
  );
}

/** @throws Problem not-found, version-changed */
export async function changeEntry<Entry extends HasId>(
  kind: EntryKind<Entry>,
  { store }: SetUpParts,
  { principal, at, expectedVersion }: By & { expectedVersion: number },
  entry: Entry,
): Promise<{ version: number }> {
  const { municipality } = principal;
  return store.withTenantConnection(municipality, async (connection) => {
    await kind.lock(connection, municipality);
    const compared = await compare(kind, connection, municipality, [entry]);
    const [found] = compared;
    if (!found?.known || found.is === 'added') throw noSuch(kind);
    const { version } = found.known;
    requireVersion(version, expectedVersion, found.is === 'unchanged');
    await setEntries(kind, connection, { principal, at }, compared);
    return { version: found.is === 'changed' ? version + 1 : version };
  });
}

/** @throws Problem not-found, version-changed */
export async function removeEntry<Entry extends HasId>(
  kind: EntryKind<Entry>,
  { store }: SetUpParts,
  { principal, at, expectedVersion }: By & { expectedVersion: number },
  id: string,
): Promise<{ version: number }> {
  const { municipality } = principal;
  return store.withTenantConnection(municipality, async (connection) => {
    await kind.lock(connection, municipality);
    const [known] = await readKnown(kind, connection, municipality, [id]);
    if (!known) throw noSuch(kind);
    requireVersion(known.version, expectedVersion, known.isRemoved);
    if (known.isRemoved) return { version: known.version };
    await run(
      connection,
      sql`
        UPDATE ${kind.table} SET removed_at = ${at}::timestamptz, version = version + 1
        WHERE ${isOne(kind, municipality, id)}`,
    );
    const difference = { before: { name: known.name }, after: { name: null } };
    await recordSettingsChange(connection, { principal, at }, `${kind.name}-removed`, difference, { [kind.field]: id });
    await kind.thenDo?.(connection, municipality);
    return { version: known.version + 1 };
  });
}

/**
 * Adds or replaces many, all or none.
 *
 * @returns how many were added, changed and unchanged
 * @throws Problem not-found for a token of an unknown municipality
 */
export async function importEntries<Entry extends HasId>(
  kind: EntryKind<Entry>,
  { store }: SetUpParts,
  { principal, at, query: { dryRun } }: By & { query: { dryRun: boolean } },
  entries: readonly Entry[],
): Promise<{ added: number; changed: number; unchanged: number }> {
  const { municipality } = principal;
  return store.withTenantConnection(municipality, async (connection) => {
    await kind.lock(connection, municipality);
    const compared = await compare(kind, connection, municipality, entries);
    if (!dryRun) await setEntries(kind, connection, { principal, at }, compared);
    const count = (is: Compared<Entry>['is']) => compared.filter((each) => each.is === is).length;
    return { added: count('added'), changed: count('changed'), unchanged: count('unchanged') };
  });
}

/** @param entries of a municipality that is locked */
export async function compare<Entry extends HasId>(
  kind: EntryKind<Entry>,
  connection: Connection,
  municipality: string,
  entries: readonly Entry[],
): Promise<Compared<Entry>[]> {
  const ids = entries.map(({ id }) => id);
  const known = new Map((await readKnown(kind, connection, municipality, ids)).map((each) => [each.id, each]));
  return entries.map((entry) => {
    const before = known.get(entry.id);
    const { id: _, ...body } = entry;
    const isNew = before?.isRemoved !== false;
    const difference = changesBetween(isNew ? {} : before, body);
    const is = isNew ? 'added' : difference ? 'changed' : 'unchanged';
    return { entry, is, difference: difference ?? { before: {}, after: {} }, known: before };
  });
}

function readKnown<Entry extends HasId>(
  { table, id, columns }: EntryKind<Entry>,
  connection: Connection,
  municipality: string,
  ids: readonly string[],
): Promise<Known<Entry>[]> {
  return run<Known<Entry>>(
    connection,
    sql`
      SELECT ${columns}, removed_at IS NOT NULL AS "isRemoved" FROM ${table}
      WHERE municipality = ${municipality} AND ${id} = ANY (${[...ids]}::text[])`,
  );
}

/** Writes those that differ, and who did it, in one statement: others wait for it. */
export async function setEntries<Entry extends HasId>(
  kind: EntryKind<Entry>,
  connection: Connection,
  by: By,
  compared: readonly Compared<Entry>[],
): Promise<void> {
  const { municipality } = by.principal;
  const rows = compared
    .filter(({ is }) => is !== 'unchanged')
    .map(({ entry, is, difference }) => ({
      ...entry,
      is,
      audit_id: newId(),
      details: settingsDetails(difference, { [kind.field]: entry.id }),
    }));
  if (rows.length === 0) return;
  const fields = Object.entries(kind.fields).map(([field, type]) => Prisma.raw(`"${field}" ${type}`));
  const audit = (is: 'added' | 'changed') => sql`
    ${insertAudit({ by: by.principal, at: by.at, action: `${kind.name}-${is}` }, { id: sql`g.audit_id`, details: sql`g.details` })}
    FROM given g WHERE g."is" = ${is}`;
  await run(
    connection,
    sql`
      WITH given AS (
        SELECT * FROM jsonb_to_recordset(${JSON.stringify(rows)}::jsonb)
          AS g (id text, ${Prisma.join(fields)}, "is" text, audit_id uuid, details jsonb)
      ), stored AS (
        ${kind.store(municipality)}
      ), added AS (
        ${audit('added')}
      ), changed AS (
        ${audit('changed')}
      )
      SELECT`,
  );
  await kind.thenDo?.(connection, municipality);
}

function isOne({ id: column }: Pick<EntryKind<HasId>, 'id'>, municipality: string, id: string): Prisma.Sql {
  return sql`municipality = ${municipality} AND ${column} = ${id}`;
}

export function noSuch({ name }: Pick<EntryKind<HasId>, 'name'>): Problem {
  return new Problem('not-found', `The municipality has no such ${name.replace('-', ' ')}.`);
}
