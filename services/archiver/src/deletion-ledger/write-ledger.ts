import type { BlobStore } from '@indbakke/shared/content';
import { announce } from '@indbakke/shared/crash-points';
import type { Parts } from '@indbakke/shared/service';
import { Prisma, run } from '@indbakke/shared/store';
import { appendToLedger, type Deletion, type LedgerConfig, openLedger } from './ledger.js';

const { sql } = Prisma;

const BATCH = 500;

type Writer = Pick<Parts, 'store' | 'keys'>;

/** What writes deletions that are committed into the ledger, which its first run opens. */
export function ledgerWriter(parts: Writer, config: LedgerConfig): () => Promise<void> {
  let ledger: BlobStore | undefined;
  return async () => {
    ledger ??= await openLedger(config);
    await writeDeletions(parts, ledger);
  };
}

/** Writes all deletions that are not in the ledger yet. Several processes may do so at once. */
export async function writeDeletions(parts: Writer, ledger: BlobStore): Promise<void> {
  const due = await parts.store.sweep<{ municipality: string }>(
    `SELECT DISTINCT municipality FROM messages WHERE status = 'deleted' AND NOT in_deletion_ledger`,
  );
  for (const { municipality } of due) while ((await writeBatch(parts, ledger, municipality)) === BATCH);
}

type Row = { [Key in keyof Deletion]: Key extends `${string}At` ? Date : string };

/**
 * The rows say that they are in the ledger when the file is durable. A process that dies in between leaves them for the next run, and
 * then the ledger has them twice.
 *
 * @returns how many there were
 */
function writeBatch({ store, keys }: Writer, ledger: BlobStore, municipality: string): Promise<number> {
  return store.withTenantConnection(municipality, async (connection) => {
    const rows = await run<Row>(
      connection,
      sql`
        SELECT id, municipality, channel, external_id AS "externalId", encode(fingerprint, 'hex') AS fingerprint, kind,
          received_at AS "receivedAt", letter_at AS "letterAt", transmission_id AS "transmissionId", status_at AS "deletedAt",
          status_by AS "deletedBy"
        FROM messages WHERE municipality = ${municipality} AND status = 'deleted' AND NOT in_deletion_ledger
        ORDER BY id LIMIT ${BATCH}::int FOR UPDATE SKIP LOCKED`,
    );
    if (rows.length === 0) return 0;
    await appendToLedger(ledger, keys, rows.map(deletionOf));
    announce('ledger-written');
    const ids = rows.map(({ id }) => id);
    await run(connection, sql`UPDATE messages SET in_deletion_ledger = true WHERE id = ANY (${ids}::uuid[])`);
    return rows.length;
  });
}

function deletionOf({ receivedAt, letterAt, deletedAt, ...row }: Row): Deletion {
  return {
    ...row,
    receivedAt: receivedAt.toISOString(),
    letterAt: letterAt.toISOString(),
    deletedAt: deletedAt.toISOString(),
  };
}
