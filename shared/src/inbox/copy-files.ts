import type { Sealer } from '../content/index.js';
import { Problem } from '../errors/index.js';
import { openAnyway } from './may-open.js';
import type { StoredFile } from './message-columns.js';
import type { ContentReader } from './read-content.js';

/** A stored file of a message, with what it must be. */
export type FileToCopy = Pick<StoredFile, 'status' | 'containerIndex' | 'containerOffset' | 'size' | 'sha256'>;

/**
 * Seals stored files anew in another container, under their indexes, a segment at a time.
 *
 * @throws Problem content-gone, content-damaged, or what the store throws
 */
export async function copyFiles(
  reader: ContentReader,
  files: readonly FileToCopy[],
  sealer: Pick<Sealer, 'openFile'>,
): Promise<void> {
  const inOrder = files.toSorted((a, b) => Number(a.containerIndex) - Number(b.containerIndex));
  for (const file of inOrder) {
    const sealing = sealer.openFile(Number(file.containerIndex));
    for await (const bytes of reader.open(openAnyway(file, 'reseal'))) await sealing.write(bytes as Buffer);
    const { sha256 } = await sealing.end();
    if (sha256 !== file.sha256) throw new Problem('content-damaged', 'A file is not what was received.');
  }
}
