import { INDBAKKE, INSTALLATION } from '../audit/index.js';
import { currentTime } from '../clock/index.js';
import { announce } from '../crash-points/index.js';
import { Problem } from '../errors/index.js';
import { dataKeyContext, type KeyRing, webhookSecretContext } from '../keys/index.js';
import { GONE_SECONDS } from '../service/heartbeat.js';
import type { withMaintenance } from '../store/index.js';

type Connection = Parameters<Parameters<typeof withMaintenance>[1]>[0];

/** Two columns of a table with a wrapped key, and the id of the master key that it is wrapped with. */
interface Place {
  readonly table: string;
  readonly keyId: string;
  readonly wrapped: string;
  /** Column with the id that the context names. */
  readonly id: string;
  /** In SQL. */
  readonly municipality: string;
  readonly contextOf: (id: string, municipality: string) => string;
}

const ofContainer = (table: string, names: Partial<Place> = {}): Place => ({
  table,
  keyId: 'key_id',
  wrapped: 'wrapped_key',
  id: 'id',
  municipality: 'municipality',
  contextOf: dataKeyContext,
  ...names,
});

const ofWebhooks = (wrapped: string): Place =>
  ofContainer('webhooks', { wrapped, keyId: `${wrapped}_key_id`, contextOf: webhookSecretContext });

/** All that is wrapped with a master key. What expires within days too: so a rotation ends when its command ends. */
export const WRAPPED: readonly Place[] = [
  ofWebhooks('secret'),
  ofWebhooks('previous_secret'),
  ofContainer('quarantine_entries', { municipality: `'${INSTALLATION}'` }),
  ofContainer('access_packages', { keyId: 'request_key_id', wrapped: 'request_wrapped_key' }),
  ofContainer('access_packages'),
  ofContainer('zip_downloads'),
  ofContainer('extracts'),
  ofContainer('extract_files'),
  ofContainer('message_keys', { id: 'message_id' }),
];

/** How many keys are wrapped with each master key but this one, by its id; none without any. */
export async function countWrappedOtherwise(
  connection: Connection,
  keyId: string,
): Promise<ReadonlyMap<string, number>> {
  const each = WRAPPED.map(({ table, keyId: column }) => `SELECT ${column} AS id FROM ${table} WHERE ${column} <> $1`);
  const { rows } = await connection.query<{ id: string; count: number }>(
    `SELECT id, count(*)::float8 AS count FROM (${each.join(' UNION ALL ')}) AS wrapped GROUP BY id ORDER BY id`,
    [keyId],
  );
  return new Map(rows.map(({ id, count }) => [id, count]));
}

/** Whether any key is wrapped with this master key. */
export async function isInUse(connection: Connection, keyId: string): Promise<boolean> {
  const each = WRAPPED.map(({ table, keyId: column }) => `EXISTS (SELECT FROM ${table} WHERE ${column} = $1)`);
  const { rows } = await connection.query<{ found: boolean }>(`SELECT ${each.join(' OR ')} AS found`, [keyId]);
  return rows[0]?.found === true;
}

/** The master keys of a process that runs, as its heartbeat says. */
export interface KeysOfCopy {
  /** Services with commas between them. */
  readonly services: string;
  /** Null of a version that does not say it. */
  readonly currentKeyId: string | null;
  readonly keyIds: readonly string[];
}

export async function readKeysOfCopies(connection: Connection): Promise<readonly KeysOfCopy[]> {
  const { rows } = await connection.query<KeysOfCopy>(
    `SELECT array_to_string(services, ', ') AS services, current_master_key AS "currentKeyId",
       coalesce(master_keys, '{}') AS "keyIds"
     FROM copies WHERE stopped_at IS NULL AND seen_at > now() - interval '${GONE_SECONDS} seconds' ORDER BY services, started_at`,
  );
  return rows;
}

export interface RewrapOptions {
  /** After each batch: how many are done. */
  readonly onProgress?: (done: number) => void;
  /** Of a key that is not what was wrapped, which stays as it is. */
  readonly onDamaged?: (where: string) => void;
}

/**
 * Wraps every key anew that is wrapped with another master key than the current one of the ring, in batches of a transaction each, while
 * everything goes on. What it leaves (keys whose row somebody changes just then, or whose master key the ring lacks) the next call
 * finds, so it may be stopped at any time.
 *
 * @param connection of the owner of the tables, past row-level security
 * @returns how many were wrapped anew
 */
export async function rewrapAll(
  connection: Connection,
  keys: KeyRing,
  { onProgress = () => {}, onDamaged = () => {} }: RewrapOptions = {},
): Promise<number> {
  let done = 0;
  for (const place of WRAPPED) {
    for (let after = BEFORE_ALL; ; ) {
      const found = await readBatch(connection, place, keys.currentKeyId, after);
      const last = found.at(-1);
      if (last === undefined) break;
      after = last.id;
      const anew = await Promise.all(found.map((row) => rewrap(keys, place, row, onDamaged)));
      done += await replace(
        connection,
        place,
        keys.currentKeyId,
        anew.filter((each) => each !== undefined),
      );
      announce('keys-rewrapped');
      onProgress(done);
    }
  }
  return done;
}

/** The row of the audit log of a rotation. */
export const rotationAudit = (keyId: string, rewrapped: number) => ({
  by: { municipality: INSTALLATION, actor: INDBAKKE },
  at: currentTime(),
  action: 'keys-rewrapped' as const,
  details: { keyId, keys: rewrapped },
});

const BEFORE_ALL = '00000000-0000-0000-0000-000000000000';

// A few milliseconds, so that whoever changes one of the rows does not notice.
const BATCH = 500;

interface Row {
  readonly id: string;
  readonly municipality: string;
  readonly keyId: string;
  readonly wrapped: Buffer;
}

async function readBatch(connection: Connection, place: Place, keyId: string, after: string): Promise<Row[]> {
  const { rows } = await connection.query<Row>(
    `SELECT ${place.id} AS id, ${place.municipality} AS municipality, ${place.keyId} AS "keyId", ${place.wrapped} AS wrapped
     FROM ${place.table} WHERE ${place.keyId} <> $1 AND ${place.id} > $2 ORDER BY ${place.id} LIMIT ${BATCH}`,
    [keyId, after],
  );
  return rows;
}

interface Anew {
  readonly id: string;
  readonly old: Buffer;
  readonly wrapped: Buffer;
}

async function rewrap(
  keys: KeyRing,
  place: Place,
  { id, municipality, keyId, wrapped }: Row,
  onDamaged: (where: string) => void,
): Promise<Anew | undefined> {
  if (!keys.keyIds.has(keyId)) return undefined;
  const context = place.contextOf(id, municipality);
  try {
    const key = await keys.unwrap({ keyId, wrapped }, context);
    return { id, old: wrapped, wrapped: (await keys.wrap(key, context)).wrapped };
  } catch (error) {
    if (!(error instanceof Problem)) throw error;
    onDamaged(`${place.table} ${id}`);
    return undefined;
  }
}

/**
 * Only rows that still have the old key: one that was deleted stays deleted, one that got another key keeps it. Rows that somebody has
 * locked are left, so that nobody waits for us while we wait for them.
 */
async function replace(connection: Connection, place: Place, keyId: string, anew: readonly Anew[]): Promise<number> {
  const { rowCount } = await connection.query(
    `WITH given AS (
       SELECT * FROM unnest($2::uuid[], $3::bytea[], $4::bytea[]) AS given (id, old, wrapped)
     ), locked AS (
       SELECT given.* FROM ${place.table} AS t JOIN given ON t.${place.id} = given.id AND t.${place.wrapped} = given.old
       FOR UPDATE OF t SKIP LOCKED
     )
     UPDATE ${place.table} AS t SET ${place.keyId} = $1, ${place.wrapped} = locked.wrapped FROM locked WHERE t.${place.id} = locked.id`,
    [keyId, anew.map(({ id }) => id), anew.map(({ old }) => old), anew.map(({ wrapped }) => wrapped)],
  );
  return rowCount ?? 0;
}
