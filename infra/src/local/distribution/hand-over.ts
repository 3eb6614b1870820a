import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { parseStringPromise, processors } from 'xml2js';
import { type DistributionSpec, distribute, writeDistribution } from './write-distribution.js';

/** A document with its file, as a system hands it to Fordelingskomponenten. */
export interface DocumentToHandOver extends DistributionSpec {
  readonly fileName: string;
  readonly content: Buffer | Readable;
}

/** The technical receipt, or the fault in its place. */
export interface TechnicalReceipt {
  /** ForretningsValideringsKode; undefined of a fault. */
  readonly code: string | undefined;
  readonly reason: string | undefined;
}

/**
 * Hands a document to Indbakke, as Fordelingskomponenten does: its file into the folder for files, then the call. A file of a document
 * that is refused is removed.
 *
 * @throws Error EEXIST when the folder has a file of this name, which is not fetched yet
 */
export async function handOver(
  { inFolder, url }: { readonly inFolder: string; readonly url: string },
  { content, ...spec }: DocumentToHandOver,
): Promise<TechnicalReceipt> {
  const file = join(inFolder, spec.fileName);
  await writeFile(file, content, { flag: 'wx', mode: 0o600 });
  let receipt: TechnicalReceipt | undefined;
  try {
    receipt = await readReceipt(await distribute(url, writeDistribution(spec)));
    return receipt;
  } finally {
    if (!isTaken(receipt)) await rm(file, { force: true });
  }
}

/** Both codes say yes (SF2900_RECEIPT_CODE). */
export const isTaken = (receipt: TechnicalReceipt | undefined): boolean =>
  receipt?.code === 'ACCEPTERET' || receipt?.code === 'MODTAGET';

async function readReceipt(response: Response): Promise<TechnicalReceipt> {
  const { Envelope } = await parseStringPromise(await response.text(), {
    tagNameProcessors: [processors.stripPrefix],
    explicitArray: false,
    ignoreAttrs: true,
  });
  const { FordelingsobjektModtagResponse: answer, Fault: fault } = Envelope.Body;
  const receipt = answer?.ForretningsKvittering;
  return { code: receipt?.ForretningsValideringsKode, reason: receipt?.Begrundelse ?? fault?.faultstring };
}
