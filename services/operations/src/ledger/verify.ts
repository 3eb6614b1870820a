import type { BlobStore } from '@indbakke/shared/content';
import type { KeyRing } from '@indbakke/shared/keys';
import { BEGINNING, type Line, openLines, readFiles } from './lines.js';

/** All of the ledger, as its files have it. */
export interface WholeLedger {
  readonly lines: readonly Line[];
  /** Where it is not as it was written, in sentences. */
  readonly faults: readonly string[];
}

/** Reads all files, and the chain from its beginning. It asks no database. */
export async function readLedger(folder: BlobStore, keys: KeyRing): Promise<WholeLedger> {
  const faults: string[] = [];
  const lines: Line[] = [];
  let end = BEGINNING;
  for (const { name, texts } of await readFiles(folder)) {
    const opened = openLines(keys, texts, end);
    lines.push(...opened.lines);
    end = opened.end;
    for (const line of opened.forged)
      faults.push(
        `Line ${line} of the file ${name} of the ledger is not as it was written, or what was before it has gone.`,
      );
  }
  return { lines, faults };
}
