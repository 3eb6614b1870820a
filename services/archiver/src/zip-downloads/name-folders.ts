import { danishDayOf } from '@indbakke/shared/danish-time';
import { nameOfSender } from '@indbakke/shared/danish-words';
import { safeNamePart } from '@indbakke/shared/inbox';
import { UniqueNames } from '@indbakke/shared/zip';
import { maskNumbers } from '../zip/mask-numbers.js';
import type { MessageToZip } from '../zip/message-to-zip.js';

// A path on Windows has 259 UTF-16 units. One in the zip has 160 at most, so 99 are left for where it is unpacked: the folder
// (64), a number (7), /teknisk/ (9), the file (72) and a number (7).
const MAX_FOLDER = 64;
export const MAX_FILE = 72;
// Long names of senders are of offices; the subject tells more.
const MAX_SENDER = 24;

type Named = Pick<MessageToZip, 'letterAt' | 'senderName' | 'senderIdType' | 'senderId' | 'subject' | 'isTraining'>;

/** The names of folders, each unlike all others on any system, also where case or normal form do not count. */
export class FolderNames {
  readonly #names = new UniqueNames([]);

  /** `2026-02-21 Afsender - Emne`, by the date of the letter; no CPR number is in it. */
  take({ letterAt, senderName: name, senderIdType: idType, senderId: id, subject, isTraining }: Named): string {
    const mark = isTraining ? 'ØVELSE ' : '';
    const sender = safeNamePart(maskNumbers(nameOfSender({ name, idType, id })), MAX_SENDER) || 'ukendt afsender';
    const folder = `${danishDayOf(letterAt)} ${mark}${sender} - ${maskNumbers(subject).trim() || 'uden emne'}`;
    return this.#names.take(safeNamePart(folder, MAX_FOLDER), '');
  }
}
