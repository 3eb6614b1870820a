import type { FileSealer, SealedFile } from '@indbakke/shared/content';
import { detectFormat, HEAD_BYTES } from '@indbakke/shared/file-types';
import type { FileSink } from '@indbakke/shared/xml';

export interface ReceivedFile extends SealedFile {
  /** The MIME type that its first bytes show; null when they show none. */
  readonly detectedFormat: string | null;
}

/** Seals a file, and looks at its first bytes meanwhile. */
export function sinkInto(sealer: FileSealer, onEnd: (file: ReceivedFile) => void): FileSink {
  let detecting: Promise<string | null> | undefined;
  return {
    lend: (extra) => sealer.lend(extra),
    write(bytes) {
      // Copied, since the buffer is lent again. The first piece is a whole buffer, or all of a smaller file.
      detecting ??= detectFormat(Buffer.from(bytes.subarray(0, HEAD_BYTES)));
      return sealer.write(bytes);
    },
    async end() {
      onEnd({ ...(await sealer.end()), detectedFormat: (await detecting) ?? null });
    },
  };
}
