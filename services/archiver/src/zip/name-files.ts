import { type DocumentsRow, type StoredFile, safeFileName } from '@indbakke/shared/inbox';
import { UniqueNames } from './unique-names.js';

const FOLDERS: Record<string, string> = { main: '', additional: 'bilag/', technical: 'teknisk/' };

export const COVER_SHEET = 'følgeseddel.pdf';
/** The MeMo as it arrived, without the contents of its files. */
export const ORIGINAL = 'teknisk/meddelelse.xml';

export interface NamedFile {
  /** Of its document. */
  readonly role: string;
  readonly file: StoredFile;
  /** Path in the zip: safe on any system, and unique. */
  readonly name: string;
}

/**
 * Names every file of a message for the zip: the main document at the top, the others in folders.
 *
 * @param maxUnits of the name of a file, without a number; see safeFileName
 */
export function nameFiles(message: DocumentsRow, maxUnits?: number): NamedFile[] {
  // Folder names are taken too, or the zip could not be unpacked.
  const names = new UniqueNames([
    COVER_SHEET,
    ORIGINAL,
    ...Object.values(FOLDERS).map((folder) => folder.replace('/', '')),
  ]);
  return message.documents.flatMap(({ role, files }) =>
    files.map((file) => ({
      role,
      file,
      name: names.take(`${FOLDERS[role] ?? ''}${safeFileName(file.fileName, maxUnits)}`),
    })),
  );
}
