import type { BlobStore } from '@indbakke/shared/content';
import { announce } from '@indbakke/shared/crash-points';
import type { Parts } from '@indbakke/shared/service';
import { appendToLedger, type Deletion, type LedgerConfig, openLedger } from './ledger.js';

const BATCH = 500;

/** What writes deletions that are committed into the ledger, which its first run opens. */
export function ledgerWriter(parts: Pick<Parts, 'store' | 'keys'>, config: LedgerConfig) {
  let ledger: BlobStore | undefined;
  return async (): Promise<void> => {
    ledger ??= await openLedger(config);
    while ((await writeBatch(parts, ledger)) === BATCH);
  };
}

type Row = { [Key in keyof Deletion]: Key extends `${string}At` ? Date : string };

/**
 * The rows say that they are in the ledger when the file is durable. A process that dies in between leaves them for the next run, and
 * then the file has them twice.
 *
 * @returns how many there were
 */
export function writeBatch({ store, keys }: Pick<Parts, 'store' | 'keys'>, ledger: BlobStore): Promise<number> {
  return store.sweepTogether<number, Row>(
    `SELECT id, municipality, channel, external_id AS "externalId", encode(fingerprint, 'hex') AS fingerprint, kind,
       received_at AS "receivedAt", letter_at AS "letterAt", transmission_id AS "transmissionId", status_at AS "deletedAt",
       status_by AS "deletedBy"
     FROM messages WHERE status = 'deleted' AND NOT in_deletion_ledger ORDER BY id LIMIT ${BATCH} FOR UPDATE SKIP LOCKED`,
    async (connection, rows) => {
      if (rows.length === 0) return 0;
      await appendToLedger(ledger, keys, rows.map(deletionOf));
      announce('ledger-written');
      await connection.query('UPDATE messages SET in_deletion_ledger = true WHERE id = ANY ($1)', [
        rows.map(({ id }) => id),
      ]);
      return rows.length;
    },
  );
}

function deletionOf({ receivedAt, letterAt, deletedAt, ...row }: Row): Deletion {
  return {
    ...row,
    receivedAt: receivedAt.toISOString(),
    letterAt: letterAt.toISOString(),
    deletedAt: deletedAt.toISOString(),
  };
}
