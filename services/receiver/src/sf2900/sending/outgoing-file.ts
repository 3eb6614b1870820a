import { goesOut, openContent, requireOpen, WITHOUT_TECHNICAL } from '@indbakke/shared/inbox';
import type { Parts } from '@indbakke/shared/service';
import { nameFiles, storedFiles, Zip } from '@indbakke/shared/zip';
import type { Distribution } from './rows.js';

/** What of a message is sent on: its only file, or a zip of its main document and attachments. */
export interface OutgoingFile {
  /** Of its name on the SFTP server, with the dot. */
  readonly extension: string;
  readonly mimeType: string;
  readonly bytes: number;
  /** Its verified bytes; the stream fails with a Problem. */
  open(): AsyncIterable<Buffer>;
}

/** @throws Problem file-held, file-unsafe of a file that may not go out; content-gone, content-damaged when there is no content, or it fails verification */
export async function outgoingFileOf(
  parts: Pick<Parts, 'blobs' | 'keys' | 'scanning'>,
  { message }: Distribution,
): Promise<OutgoingFile> {
  const files = nameFiles(message).filter((file) => goesOut(WITHOUT_TECHNICAL, file));
  // Nothing goes out without a file that another authority would miss.
  for (const { file } of files) requireOpen(parts.scanning, file);
  const [only, ...others] = files;
  if (!only || others.length > 0) {
    const zip = new Zip(await storedFiles(parts, message, files));
    return { extension: '.zip', mimeType: 'application/zip', bytes: zip.size, open: () => zip.open() };
  }
  const { name } = only;
  const file = requireOpen(parts.scanning, only.file);
  const content = await openContent(parts, message);
  return {
    extension: /\.[a-z\d]{1,10}$/i.exec(name)?.[0].toLowerCase() ?? '',
    mimeType: file.detectedFormat ?? (file.encodingFormat || 'application/octet-stream'),
    bytes: file.size,
    open: () => content.open(file),
  };
}
