import { buffer } from 'node:stream/consumers';
import { CHANNEL_WORDS, KIND_WORDS, OBJECT_TYPE_WORDS, PARTY_ROLE_WORDS } from '@indbakke/shared/inbox';
import type { FileScan } from '@indbakke/shared/lifecycle';
import { registerFonts } from '@indbakke/shared/pdf';
import { TRAINING_MARK } from '@indbakke/shared/training';
import type { NamedFile } from '@indbakke/shared/zip';
import PDFDocument from 'pdfkit';
import { maskNumbers } from './mask-numbers.js';
import type { MessageToZip } from './message-to-zip.js';

const time = new Intl.DateTimeFormat('da-DK', { dateStyle: 'long', timeStyle: 'short', timeZone: 'Europe/Copenhagen' });
const number = new Intl.NumberFormat('da-DK');

const MARGIN = 56;
const FIELD_WIDTH = 150;

type Field = readonly [name: string, value: string];

/**
 * The følgeseddel: what the message is and what the zip has of it, as PDF, for the one to whom it is sent on. The same message
 * gives the same bytes, so that a download can be resumed.
 *
 * @param leftOut files that are stored, and not in the zip, by id, with what the scan says of them
 * @param isFull with whole CPR numbers; else each is only a date of birth, wherever it stands
 */
export async function writeCoverSheet(
  message: MessageToZip,
  files: readonly NamedFile[],
  leftOut: ReadonlyMap<string, FileScan>,
  isFull: boolean,
): Promise<Buffer> {
  const shown = isFull ? oneLine : (text: string) => maskNumbers(oneLine(text));
  const document = new PDFDocument({
    size: 'A4',
    margin: MARGIN,
    lang: 'da-DK',
    displayTitle: true,
    info: { Title: 'Følgeseddel', CreationDate: message.receivedAt },
  });
  await registerFonts(document);
  const bytes = buffer(document);
  document.font('bold').fontSize(18).text('Følgeseddel');
  if (message.isTraining) document.fontSize(14).text(TRAINING_MARK.toUpperCase());
  document.fontSize(10).moveDown();
  for (const field of fieldsOf(message)) writeField(document, field, shown);
  writeSection(document, 'Parter', message.distribution?.parties ?? [], (party) =>
    writeField(document, [PARTY_ROLE_WORDS[party.role], [party.name, party.id].filter(Boolean).join(', ')], shown),
  );
  writeSection(document, 'Oplysninger fra afsenderen', message.contactInfo, ({ label, value }) =>
    writeField(document, [label, value], shown),
  );
  writeSection(document, 'Filer', files, (file) =>
    document.font('text').text(shown(describe(file, leftOut.get(file.file.id)))),
  );
  document.end();
  return bytes;
}

function fieldsOf(message: MessageToZip): Field[] {
  const { concerningId, concerningName, representativeName, distribution } = message;
  const { kle, exemption } = distribution ?? { kle: null, exemption: null };
  const fields: (readonly [string, string | null])[] = [
    ['Emne', message.subject],
    ['Type', distribution ? OBJECT_TYPE_WORDS[distribution.objectType] : KIND_WORDS[message.kind]],
    ['Modtaget gennem', CHANNEL_WORDS[message.channel]],
    ['Afsender', message.senderName],
    [numberLabelOf(message), message.senderId],
    ['På vegne af afsender', representativeName],
    ['Vedrører', concerningName],
    ['Vedrørendes CPR-nummer', concerningId],
    ['KLE-nummer', kle],
    ['Undtaget fra aktindsigt', exemption && (exemption.law || 'Ja')],
    ['Titel ved aktindsigt', exemption?.title ?? null],
    ['Kontaktpunkt', message.contactPointName ?? message.contactPointId],
    ['Brevets dato', time.format(message.letterAt)],
    ['Modtaget', time.format(message.receivedAt)],
    distribution ? ['Dokumentets id', distribution.objectId] : ['Meddelelsens id', message.externalId],
  ];
  return fields.filter((field): field is Field => Boolean(field[1]));
}

function numberLabelOf({ channel, senderIdType }: MessageToZip): string {
  if (channel === 'sf2900') return 'Myndighedens CVR-nummer';
  return senderIdType.toUpperCase() === 'CVR' ? 'Afsenders CVR-nummer' : 'Afsenders CPR-nummer';
}

function writeField(document: PDFKit.PDFDocument, [name, value]: Field, shown: (text: string) => string): void {
  const top = document.y;
  document.font('bold').text(shown(name), { width: FIELD_WIDTH });
  const below = document.y;
  // A field that did not fit is on the next page, and its value beside it.
  document.y = below > top ? top : document.page.margins.top;
  document.x = MARGIN + FIELD_WIDTH;
  const { page } = document;
  document.font('text').text(shown(value), { width: document.page.width - 2 * MARGIN - FIELD_WIDTH });
  document.x = MARGIN;
  if (document.page === page) document.y = Math.max(document.y, below);
}

function writeSection<Item>(
  document: PDFKit.PDFDocument,
  title: string,
  items: readonly Item[],
  write: (item: Item) => void,
): void {
  if (items.length === 0) return;
  document.moveDown().font('bold').fontSize(12).text(title).fontSize(10).moveDown(0.3);
  for (const item of items) write(item);
}

function describe({ file, name }: NamedFile, scan: FileScan | undefined): string {
  const size = file.status === 'stored' ? `${number.format(file.size)} byte` : 'ikke modtaget';
  const why = scan === 'infected' ? 'indeholder skadelig kode' : 'kunne ikke undersøges for virus';
  const note = scan === undefined ? size : `ikke med: ${why}`;
  const renamed = name.split('/').at(-1) === file.fileName ? '' : `, oprindeligt navn: ${file.fileName}`;
  return `${name} (${note}${renamed})`;
}

/** A sender’s text must not be able to fake a line. */
function oneLine(text: string): string {
  return text.replace(/[\p{Cc}\p{Cf}\u2028\u2029]+/gu, ' ');
}
