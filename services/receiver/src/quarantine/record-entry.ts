import { INSTALLATION } from '@indbakke/shared/audit';
import type { Sealed } from '@indbakke/shared/inbox';
import { newId, Prisma, run, type Store } from '@indbakke/shared/store';

const { sql } = Prisma;

/** By which a delivery came: those of Digital Post, and that of Fordelingskomponenten. */
export type Endpoint = 'rest' | 'soap' | 'sf2900';

/** A delivery that could not be read, sealed. */
export interface NewEntry extends Omit<Sealed, 'sha256'> {
  readonly id: string;
  readonly contentHash: Buffer;
  readonly reason: string;
  readonly path: string | undefined;
  readonly endpoint: Endpoint;
  readonly caller: string;
  readonly messageUuid: string | undefined;
}

export interface Quota {
  readonly maxBytes: number;
  readonly maxEntries: number;
}

/** What there is of the same bytes now. */
export interface Entry {
  readonly id: string;
  readonly status: 'kept' | 'answer-accepted';
  readonly count: number;
  readonly acceptedAt: Date | null;
  readonly transmissionId: string;
  readonly messageUuid: string | null;
}

export interface Recorded {
  /** Undefined when there is no room for another one. */
  readonly entry: Entry | undefined;
  /** Whether the sealed content is the entry’s. */
  readonly isStored: boolean;
  readonly isNew: boolean;
  /** How often deliveries with this messageUUID were refused. */
  readonly refusedOfId: number;
}

const ENTRY = sql`id, status, count, accepted_at AS "acceptedAt", transmission_id AS "transmissionId", message_uuid AS "messageUuid"`;

/** Counts a delivery at its entry, or makes one. One at a time in all receivers, so that quota and counts are exact. */
export async function recordEntry(store: Store, given: NewEntry, quota: Quota): Promise<Recorded> {
  return store.withTenantConnection(INSTALLATION, async (connection) => {
    await run(connection, sql`SELECT pg_advisory_xact_lock(hashtext('quarantine'))`);
    const [room] = await run<{ entries: number; bytes: number }>(
      connection,
      sql`SELECT count(*)::int AS entries, coalesce(sum(size) FILTER (WHERE key_id IS NOT NULL), 0)::float8 AS bytes FROM quarantine_entries`,
    );
    const { entries, bytes } = room as { entries: number; bytes: number };
    // Accepted bytes are accepted whatever they are refused for now.
    const [known] = await run<Entry>(
      connection,
      sql`
        UPDATE quarantine_entries
        SET count = count + 1, last_at = clock_timestamp(), caller = ${given.caller},
          accepted_count = accepted_count + (status = 'answer-accepted')::int
        WHERE id = (
          SELECT id FROM quarantine_entries
          WHERE content_hash = ${given.contentHash} AND (reason = ${given.reason} OR status = 'answer-accepted')
          ORDER BY status = 'answer-accepted' DESC LIMIT 1)
        RETURNING ${ENTRY}`,
    );
    const hasRoom = bytes + given.size <= quota.maxBytes;
    const entry = known ?? (entries < quota.maxEntries ? await insert() : undefined);
    const [ofId] = await run<{ count: number }>(
      connection,
      sql`
        SELECT coalesce(sum(count), 0)::int AS count FROM quarantine_entries
        WHERE message_uuid = ${given.messageUuid ?? null}::uuid AND status = 'kept'`,
    );
    return { entry, isStored: !known && entry !== undefined && hasRoom, isNew: !known, refusedOfId: ofId?.count ?? 0 };

    async function insert(): Promise<Entry | undefined> {
      const { place, wrappedKey } = given;
      const [blobName, container] = 'bytes' in place ? [null, place.bytes] : [place.blobName, null];
      const [keyId, wrapped] = [wrappedKey.keyId, wrappedKey.wrapped];
      const content = hasRoom ? [blobName, container, keyId, wrapped] : [null, null, null, null];
      const [made] = await run<Entry>(
        connection,
        sql`
          INSERT INTO quarantine_entries (id, content_hash, reason, path, endpoint, caller, message_uuid, size, first_at, last_at,
            transmission_id, blob_name, container, key_id, wrapped_key)
          SELECT ${given.id}::uuid, ${given.contentHash}::bytea, ${given.reason}, ${given.path || null}, ${given.endpoint}, ${given.caller},
            ${given.messageUuid ?? null}::uuid, ${given.size}::bigint, at, at, ${newId()}::uuid,
            ${content[0]}::text, ${content[1]}::bytea, ${content[2]}::text, ${content[3]}::bytea
          FROM clock_timestamp() AS at
          RETURNING ${ENTRY}`,
      );
      return made;
    }
  });
}
