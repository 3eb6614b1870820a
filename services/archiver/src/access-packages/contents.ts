import { nameOfSender } from '@indbakke/shared/danish-words';
import type { Column } from '@indbakke/shared/excel';
import { CHANNEL_WORDS, KIND_WORDS, STATUS_WORDS } from '@indbakke/shared/inbox';
import type { LetterToPack, Reason } from './letters.js';

/** A line of the list of contents. */
export interface ContentsLine {
  /** Of the message in the zip; null when nothing of it is there. */
  readonly folder: string | null;
  readonly reasons: readonly Reason[];
  readonly letter: Pick<
    LetterToPack,
    | 'id'
    | 'sentAt'
    | 'firstOfferedAt'
    | 'receivedAt'
    | 'status'
    | 'statusAt'
    | 'kind'
    | 'subject'
    | 'channel'
    | 'senderName'
    | 'senderIdType'
    | 'senderId'
    | 'concerningName'
    | 'deletionDueAt'
    | 'distribution'
  >;
  /** Paths in the folder. */
  readonly files: readonly string[];
}

const REASON_WORDS: Record<Reason, string> = {
  sender: 'Er afsender',
  concerning: 'Brevet vedrører borgeren',
  party: 'Er part i dokumentet',
  suggested: 'Er part i den foreslåede sag',
  journalized: 'Er part i sagen',
};

const text = (heading: string, width: number, of: (line: ContentsLine) => string | null): Column<ContentsLine> => ({
  heading,
  width,
  format: 'text',
  of,
});
const time = (heading: string, of: (letter: ContentsLine['letter']) => Date | null): Column<ContentsLine> => ({
  heading,
  width: 17,
  format: 'time',
  of: ({ letter }) => of(letter),
});

/** `Indhold.xlsx`, for the citizen and who hands it out. */
export const CONTENTS_COLUMNS: readonly Column<ContentsLine>[] = [
  text('Mappe', 18, ({ folder }) => folder),
  time('Afsendt', ({ sentAt }) => sentAt),
  time('Først tilbudt', ({ firstOfferedAt }) => firstOfferedAt),
  time('Modtaget', ({ receivedAt }) => receivedAt),
  text('Status', 14, ({ letter }) => STATUS_WORDS[letter.status]),
  time('Status siden', ({ statusAt }) => statusAt),
  time('Slettes', ({ deletionDueAt }) => deletionDueAt),
  text('Kanal', 21, ({ letter }) => CHANNEL_WORDS[letter.channel]),
  text('Type', 13, ({ letter }) => KIND_WORDS[letter.kind]),
  text('Emne', 48, ({ letter }) => letter.subject),
  text('Afsender', 28, ({ letter: { senderName: name, senderIdType: idType, senderId: id } }) =>
    nameOfSender({ name, idType, id }),
  ),
  text('Vedrører', 28, ({ letter }) => letter.concerningName),
  text('Undtaget fra aktindsigt', 30, ({ letter }) => letter.distribution?.exemption?.law ?? null),
  text('Hvorfor med', 30, ({ reasons }) => reasons.map((reason) => REASON_WORDS[reason]).join('; ')),
  text('Filer', 70, ({ files }) => files.join('; ')),
  text('Id', 38, ({ letter }) => letter.id),
];
