import { citizensOf } from '@indbakke/shared/audit';
import type { KeyRing } from '@indbakke/shared/keys';
import type { Parts } from '@indbakke/shared/service';
import { Prisma, run, type Store } from '@indbakke/shared/store';

const { sql } = Prisma;

const BATCH = 2_000;
// So that a shutdown need not wait long for the sweep.
const BATCHES = 10;

/**
 * Hashes sender and concerned person of messages from before `message_subjects`, some at a time. Several processes may sweep at
 * once: a message that two hash is written once.
 */
export async function sweepUnhashedMessages({ store, keys }: Pick<Parts, 'store' | 'keys'>): Promise<void> {
  for (let batch = 0; batch < BATCHES; batch += 1) {
    const due = await store.sweep<{ municipality: string; ids: string[] }>(
      `SELECT municipality, array_agg(message_id::text) AS ids
       FROM (SELECT * FROM unhashed_messages LIMIT $1) AS due GROUP BY municipality`,
      [BATCH],
    );
    if (due.length === 0) return;
    for (const { municipality, ids } of due) await hashMessages(store, keys, municipality, ids);
  }
}

function hashMessages(store: Store, keys: KeyRing, municipality: string, ids: readonly string[]): Promise<void> {
  return store.withTenantConnection(municipality, async (connection) => {
    const which = sql`municipality = ${municipality} AND message_id = ANY (${[...ids]}::uuid[])`;
    const parties = await run<{ id: string; number: string }>(
      connection,
      sql`SELECT message_id AS id, number FROM message_parties WHERE ${which}`,
    );
    const subjects = parties.flatMap(({ id, number }) =>
      citizensOf(keys, [number]).map((citizen) => ({ id, citizen })),
    );
    // In a fixed order, since others write subjects of the same messages.
    await run(
      connection,
      sql`
        INSERT INTO message_subjects (municipality, kind, key, message_id)
        SELECT ${municipality}, 'citizen', citizen, id
        FROM unnest(${subjects.map(({ id }) => id)}::uuid[], ${subjects.map(({ citizen }) => citizen)}::text[]) AS s (id, citizen)
        ORDER BY citizen, id
        ON CONFLICT DO NOTHING`,
    );
    await run(connection, sql`DELETE FROM unhashed_messages WHERE ${which}`);
  });
}

const MOST_AT_ONCE = 10_000;

/** Forgets whom deleted messages were about when the log has no row of them any more. */
export async function sweepForgottenSubjects({ store }: Pick<Parts, 'store'>): Promise<void> {
  await store.sweep(
    `DELETE FROM message_subjects s USING (
       SELECT m.municipality, m.id FROM messages m
       WHERE m.status = 'deleted' AND EXISTS (SELECT FROM message_subjects WHERE message_id = m.id)
         AND NOT EXISTS (SELECT FROM audit_events a WHERE a.municipality = m.municipality AND a.message_id = m.id)
       LIMIT $1) AS gone
     WHERE s.message_id = gone.id AND s.municipality = gone.municipality`,
    [MOST_AT_ONCE],
  );
}
