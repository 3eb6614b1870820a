import { type BlobEntry, type BlobStore, openBlobStore } from '@indbakke/shared/content';
import { DELETION_LEDGER, type KeyRing } from '@indbakke/shared/keys';
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

/** The folder of the ledger: the one that is set, or one beside the content. */
export function ledgerUrlOf({ DELETION_LEDGER_URL, BLOB_URL }: LedgerConfig): string {
  return DELETION_LEDGER_URL ?? `${BLOB_URL.replace(/\/+$/, '')}-deletions`;
}

export const openLedger = (config: LedgerConfig): Promise<BlobStore> => openBlobStore(ledgerUrlOf(config));

export interface LedgerConfig {
  readonly DELETION_LEDGER_URL?: string | undefined;
  readonly BLOB_URL: string;
}

/** Writes a batch; once this resolves it survives a power cut. */
export async function appendToLedger(ledger: BlobStore, keys: KeyRing, deletions: readonly Deletion[]): Promise<void> {
  const writer = await ledger.create();
  try {
    await writer.write(Buffer.from(deletions.map((deletion) => lineOf(keys, deletion)).join('')));
    await writer.commit();
  } finally {
    await writer.abort();
  }
}

/** A line of the ledger, or where there is one that is not as it was written. */
export type LedgerLine = { readonly deletion: Deletion } | { readonly forged: string };

/** All lines, in no order; the same deletion may have several. */
export async function* readLedger(ledger: BlobStore, keys: KeyRing): AsyncGenerator<LedgerLine> {
  for await (const entry of ledger.list()) {
    if (!entry.finished) continue; // its writer died, and wrote the batch again
    const lines = (await read(ledger, entry)).split('\n').slice(0, -1);
    for (const [at, line] of lines.entries()) {
      const deletion = parse(keys, line);
      yield deletion ? { deletion } : { forged: `${entry.name}, line ${at + 1}` };
    }
  }
}

function lineOf(keys: KeyRing, deletion: Deletion): string {
  const text = JSON.stringify(Deletion.parse(deletion));
  return `${sealOf(keys, text)} ${text}\n`;
}

function parse(keys: KeyRing, line: string): Deletion | undefined {
  const [seal = ''] = line.split(' ', 1);
  const text = line.slice(seal.length + 1);
  return seal === sealOf(keys, text) ? Deletion.parse(JSON.parse(text)) : undefined;
}

const sealOf = (keys: KeyRing, text: string) => keys.digest(DELETION_LEDGER, text).toString('hex');

async function read(ledger: BlobStore, { name, size }: BlobEntry): Promise<string> {
  const reader = await ledger.open(name, { start: 0, end: size });
  if (!reader) return '';
  try {
    const bytes = Buffer.alloc(size);
    return bytes.toString('utf8', 0, await reader.read(bytes));
  } finally {
    await reader.close();
  }
}
