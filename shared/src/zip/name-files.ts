import { type DocumentsRow, type StoredFile, type SummaryRow, safeFileName } from '../inbox/index.js';
import { UniqueNames } from './unique-names.js';

const FOLDERS: Record<string, string> = { main: '', additional: 'bilag/', technical: 'teknisk/' };

export const COVER_SHEET = 'følgeseddel.pdf';
/** The XML as it arrived, without the contents of its files. */
export const ORIGINALS: Record<SummaryRow['channel'], string> = {
  sf1606: 'teknisk/meddelelse.xml',
  sf2900: 'teknisk/fordelingsobjekt.xml',
};

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
    ...Object.values(ORIGINALS),
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
