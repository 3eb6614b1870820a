import { buffer } from 'node:stream/consumers';
import { type LogRow, readLog, readMunicipalityName, writeSheetPdf } from '@indbakke/shared/audit-log';
import { danishDayOf } from '@indbakke/shared/danish-time';
import { writeSheet } from '@indbakke/shared/excel';
import { sheetNameFor } from '@indbakke/shared/training';
import { writeZip, type ZipFile } from '@indbakke/shared/zip';
import { filesOf, idsOfFiles, inMemory, needsOriginal } from '../zip/zip-message.js';
import { CONTENTS_COLUMNS, type ContentsLine } from './contents.js';
import { type Letter, readLetter } from './letters.js';
import type { PackageParts } from './packages.js';

/** What a package is made of. */
export interface ToWrite {
  readonly municipality: string;
  /** A CPR or CVR number. */
  readonly citizen: string;
  readonly letters: readonly Letter[];
  /** The messages that the owner may not see: their rows of the log are left out. */
  readonly closed: ReadonlySet<string>;
  readonly at: Date;
  /** Called before each message is packed with these files, and not for those that are deleted or about to be. */
  readonly onLetter: (id: string, fileIds: readonly string[]) => Promise<void>;
  /** Rows of the log in one sheet. */
  readonly sheetRows?: number;
}

/** The zip of a package, as it is read: one message is in memory at a time, and the list of contents. */
export function writePackage(parts: PackageParts, wanted: ToWrite): AsyncGenerator<Buffer> {
  return writeZip(filesOfPackage(parts, wanted));
}

async function* filesOfPackage(parts: PackageParts, wanted: ToWrite): AsyncGenerator<ZipFile> {
  const { municipality, letters, at, onLetter } = wanted;
  const lines: ContentsLine[] = [];
  let number = 0;
  for (const { id, reasons } of letters) {
    const message = await readLetter(parts, municipality, id);
    const { original: _xml, container: _content, documents: _documents, ...letter } = message; // what stays in memory
    if (letter.status === 'deleted' || letter.contentRemovedAt) {
      lines.push({ folder: null, reasons, letter, files: [] });
      continue;
    }
    if (letter.deletionDueAt) {
      // The municipality has it still, so the list tells of it, in time to cancel its deletion; nobody reads it meanwhile.
      lines.push({ folder: null, reasons, letter: { ...letter, ...UNREADABLE }, files: [] });
      continue;
    }
    const whole = { cover: 'full', technical: true, original: needsOriginal(message) } as const;
    await onLetter(id, idsOfFiles(parts, message, whole));
    number += 1;
    const folder = `${String(number).padStart(4, '0')} ${danishDayOf(letter.receivedAt)}`;
    const files = await filesOf(parts, message, whole);
    for (const file of files) yield { ...file, name: `${folder}/${file.name}` };
    lines.push({ folder, reasons, letter, files: files.map(({ name }) => name) });
  }
  const contents = writeSheet(await sheetNameFor(parts.store, municipality, 'Indhold'), CONTENTS_COLUMNS, lines);
  yield inMemory('Indhold.xlsx', await buffer(contents), at);
  yield* sheetsOfLog(parts, wanted);
}

const UNREADABLE = {
  subject: '',
  senderName: '',
  senderIdType: '',
  senderId: '',
  concerningName: null,
  distribution: null,
};

// A few MB. A zip says how long a file is before its first byte, so a sheet is in memory.
const SHEET_ROWS = 20_000;

/** What the log has about the citizen, as sheets: one, unless it is very long. */
async function* sheetsOfLog(
  parts: PackageParts,
  { municipality, citizen, closed, at, sheetRows = SHEET_ROWS }: ToWrite,
): AsyncGenerator<ZipFile> {
  const facts = {
    municipality: await readMunicipalityName(parts.store, municipality),
    madeAt: at,
    from: undefined,
    to: at,
  };
  const rows = openRows();
  let next = await rows.next();
  for (let number = 1; number === 1 || !next.done; number += 1) {
    const sheet = await buffer(writeSheetPdf(facts, nextRows()));
    yield inMemory(`Udskrift af log${number === 1 ? '' : ` ${number}`}.pdf`, sheet, at);
  }

  async function* openRows(): AsyncGenerator<LogRow> {
    for await (const row of readLog(parts, municipality, { citizen, to: at.toISOString() })) {
      if (row.messageId === null || !closed.has(row.messageId)) yield row;
    }
  }

  async function* nextRows(): AsyncGenerator<LogRow> {
    for (let taken = 0; taken < sheetRows && !next.done; taken += 1) {
      yield next.value;
      next = await rows.next();
    }
  }
}
