import {
  type BlobStore,
  besideContent,
  type ContentConfig,
  openBesideContent,
  openBlobStore,
} from '@indbakke/shared/content';
import { DELETION_LEDGER, type KeyRing } from '@indbakke/shared/keys';
import { openLine, readLines, sealLine, writeLines } from '@indbakke/shared/sealed-lines';
import { z } from 'zod';

/**
 * The deletion ledger: which messages were deleted, and of which retention removed the content, in files outside the database, so that
 * a restore of the database from before that can do it again. A line of JSON for each, with a keyed hash, in files that are stored like content: whole or not at all.
 * It has ids, codes and times only, of which the ids and the fingerprint are those that the tombstone keeps too.
 */
const Deletion = z.strictObject({
  id: z.uuid(),
  municipality: z.string(),
  channel: z.string(),
  externalId: z.string(),
  /** Keyed hash, in hexadecimal. */
  fingerprint: z.string(),
  change: z.enum(['deleted', 'content-removed']),
  kind: z.string(),
  receivedAt: z.iso.datetime(),
  letterAt: z.iso.datetime(),
  transmissionId: z.uuid(),
  handledAt: z.iso.datetime().nullable(),
  /** The copy that another municipality took of it. */
  copy: z.strictObject({ id: z.uuid(), municipality: z.string() }).nullable(),
  /** When it, or its content, went. */
  deletedAt: z.iso.datetime(),
  /** Id of the user or system. */
  deletedBy: z.string(),
});
export type Deletion = z.infer<typeof Deletion>;

/** At the end of BLOB_URL, where none is set. */
export const DELETION_LEDGER_SUFFIX = '-deletions';

/** Where the ledger is: at the URL that is set, or beside the content. */
export function ledgerUrlOf({ DELETION_LEDGER_URL, BLOB_URL }: LedgerConfig): string {
  return DELETION_LEDGER_URL ?? besideContent(BLOB_URL, DELETION_LEDGER_SUFFIX);
}

export async function openLedger(config: LedgerConfig): Promise<BlobStore> {
  const { DELETION_LEDGER_URL: own } = config;
  return own ? openBlobStore(own, config) : openBesideContent(config, DELETION_LEDGER_SUFFIX);
}

export interface LedgerConfig extends ContentConfig {
  readonly DELETION_LEDGER_URL?: string | undefined;
}

/** Writes a batch; once this resolves it survives a power cut. */
export async function appendToLedger(ledger: BlobStore, keys: KeyRing, deletions: readonly Deletion[]): Promise<void> {
  const lines = deletions.map((deletion) => sealLine(keys, DELETION_LEDGER, JSON.stringify(Deletion.parse(deletion))));
  await writeLines(ledger, lines);
}

/** A line of the ledger, or where there is one that is not as it was written. */
export type LedgerLine = { readonly deletion: Deletion } | { readonly forged: string };

/** All lines, in no order; the same deletion may have several. */
export async function* readLedger(ledger: BlobStore, keys: KeyRing): AsyncGenerator<LedgerLine> {
  for await (const entry of ledger.list()) {
    if (!entry.finished) continue; // its writer died, and wrote the batch again
    for (const [at, line] of (await readLines(ledger, entry.name)).entries()) {
      const opened = openLine(keys, DELETION_LEDGER, line);
      yield opened
        ? { deletion: Deletion.parse(JSON.parse(opened.text)) }
        : { forged: `${entry.name}, line ${at + 1}` };
    }
  }
}
