import { INSTALLATION, recordAudit } from '@indbakke/shared/audit';
import { currentTime } from '@indbakke/shared/clock';
import type { BlobStore } from '@indbakke/shared/content';
import type { Parts } from '@indbakke/shared/service';
import { databaseId, readHeads } from '../ledger/database-id.js';
import { append } from '../ledger/files.js';
import type { Line } from '../ledger/lines.js';

/**
 * How far the change feeds jump above the highest position that is known to have been given. Between a backup, or the last line of the
 * ledger, and the loss of a database a municipality would need a thousand changes a second for a whole day to give as many.
 */
export const JUMP = 100_000_000;

const BATCH = 20_000;

/**
 * After a restore: positions given from now on are above all that were given before, and readers at a position from before get
 * position-gone. The events in the backup go, since nobody may read them any more. The caller is alone, and no service runs.
 *
 * @returns the new heads
 */
export async function moveFeed(
  parts: Pick<Parts, 'store' | 'keys' | 'log'>,
  folder: BlobStore,
  lines: readonly Line[],
  by: string,
): Promise<ReadonlyMap<string, number>> {
  const { store } = parts;
  const highest = await readHeads(parts);
  const raise = (municipality: string, to: number) =>
    highest.set(municipality, Math.max(to, highest.get(municipality) ?? 0));
  for (const line of lines) {
    if (line.is === 'day') raise(line.municipality, line.eventPosition);
    else for (const [municipality, head] of Object.entries(line.heads)) raise(municipality, head);
  }
  for (const { cvr } of await store.sweep<{ cvr: string }>('SELECT cvr FROM municipalities')) raise(cvr, 0);
  const heads = new Map([...highest].map(([municipality, head]) => [municipality, head + JUMP]));

  await store.sweep(
    `INSERT INTO feed_heads AS h (municipality, event_position, oldest_event_position)
     SELECT municipality, head, head + 1 FROM unnest($1::text[], $2::bigint[]) AS moved (municipality, head)
     ON CONFLICT (municipality) DO UPDATE
     SET event_position = excluded.event_position, oldest_event_position = excluded.oldest_event_position`,
    [[...heads.keys()], [...heads.values()]],
  );
  for (let removed = BATCH; removed === BATCH; ) {
    const rows = await store.sweep(
      `DELETE FROM events e USING (
         SELECT message_id, version FROM events JOIN feed_heads h USING (municipality)
         WHERE position < h.oldest_event_position LIMIT $1) AS old
       WHERE e.message_id = old.message_id AND e.version = old.version RETURNING 1`,
      [BATCH],
    );
    removed = rows.length;
  }
  await recordAudit(store, {
    by: { municipality: INSTALLATION, actor: { kind: 'system', id: by } },
    at: currentTime(),
    action: 'restored',
    details: { municipalities: heads.size, jump: JUMP },
  });
  // Last: what stopped before it is done again, with a further jump.
  const at = currentTime().toISOString();
  await append(parts, folder, [
    { is: 'database', at, database: await databaseId(parts), heads: Object.fromEntries(heads) },
  ]);
  return heads;
}
