import { INDBAKKE } from '@indbakke/shared/audit';
import type { BlobStore } from '@indbakke/shared/content';
import { announce } from '@indbakke/shared/crash-points';
import type { Parts } from '@indbakke/shared/service';
import { Prisma, run } from '@indbakke/shared/store';
import { appendToLedger, type Deletion, type LedgerConfig, openLedger } from './ledger.js';

const { sql } = Prisma;

const BATCH = 500;

type Writer = Pick<Parts, 'store' | 'keys'>;

/** Deleted, or its content removed; as the index has it. */
const NOT_IN_LEDGER = `(status = 'deleted' OR content_removed_at IS NOT NULL) AND NOT in_deletion_ledger`;

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
    `SELECT DISTINCT municipality FROM messages WHERE ${NOT_IN_LEDGER}`,
  );
  for (const { municipality } of due) while ((await writeBatch(parts, ledger, municipality)) === BATCH);
}

type Row = Omit<Deletion, 'receivedAt' | 'letterAt' | 'handledAt' | 'deletedAt'> & {
  readonly receivedAt: Date;
  readonly letterAt: Date;
  readonly handledAt: Date | null;
  readonly deletedAt: Date;
};

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
          received_at AS "receivedAt", letter_at AS "letterAt", transmission_id AS "transmissionId", handled_at AS "handledAt",
          (SELECT jsonb_build_object('id', taken_message_id, 'municipality', to_municipality) FROM handovers h
           WHERE h.message_id = m.id AND h.status = 'taken') AS copy,
          CASE status WHEN 'deleted' THEN 'deleted' ELSE 'content-removed' END AS change,
          CASE status WHEN 'deleted' THEN status_at ELSE content_removed_at END AS "deletedAt",
          CASE status WHEN 'deleted' THEN status_by ELSE ${INDBAKKE.id} END AS "deletedBy"
        FROM messages m WHERE municipality = ${municipality} AND ${Prisma.raw(NOT_IN_LEDGER)}
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

function deletionOf({ receivedAt, letterAt, handledAt, deletedAt, ...row }: Row): Deletion {
  return {
    ...row,
    receivedAt: receivedAt.toISOString(),
    letterAt: letterAt.toISOString(),
    handledAt: handledAt?.toISOString() ?? null,
    deletedAt: deletedAt.toISOString(),
  };
}
