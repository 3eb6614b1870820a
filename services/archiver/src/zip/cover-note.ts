import { KIND_WORDS } from '@indbakke/shared/inbox';
import { TRAINING_MARK } from '@indbakke/shared/training';
import type { MessageToZip } from './message-to-zip.js';
import type { NamedFile } from './name-files.js';

const time = new Intl.DateTimeFormat('da-DK', { dateStyle: 'long', timeStyle: 'short', timeZone: 'Europe/Copenhagen' });
const number = new Intl.NumberFormat('da-DK');

/**
 * The følgeseddel: what the message is and what the zip contains, for the caseworker to whom it is forwarded. Plain text in
 * UTF-8 with a byte order mark and Windows line ends, so that a double click opens it correctly anywhere.
 */
export function writeCoverNote(message: MessageToZip, files: readonly NamedFile[]): string {
  const lines = [
    'FØLGESEDDEL',
    ...(message.isTraining ? ['', TRAINING_MARK.toUpperCase()] : []),
    '',
    field('Emne', message.subject),
    field('Type', KIND_WORDS[message.kind]),
    field('Afsender', message.senderName),
    field(
      message.senderIdType.toUpperCase() === 'CVR' ? 'Afsenders CVR-nummer' : 'Afsenders CPR-nummer',
      message.senderId,
    ),
    field('Vedrører', message.concerningName),
    field('Vedrørendes CPR-nummer', message.concerningId),
    field('Kontaktpunkt', message.contactPointName ?? message.contactPointId),
    field('Brevets dato', time.format(message.letterAt)),
    field('Modtaget', time.format(message.receivedAt)),
    field('Meddelelsens id', message.externalId),
    ...section(
      'Oplysninger fra afsenderen',
      message.contactInfo.map(({ label, value }) => `${oneLine(label)}: ${oneLine(value)}`),
    ),
    ...section('Filer', files.map(fileLine)),
  ];
  return `\ufeff${lines.filter((line) => line !== undefined).join('\r\n')}\r\n`;
}

function field(name: string, value: string | null | undefined): string | undefined {
  return value ? `${`${name}:`.padEnd(25)}${oneLine(value)}` : undefined;
}

function section(title: string, lines: string[]): string[] {
  return lines.length === 0 ? [] : ['', title, ...lines.map((line) => `  ${line}`)];
}

function fileLine({ file, name }: NamedFile): string {
  const original = oneLine(file.fileName);
  const note = file.status === 'stored' ? `${number.format(file.size)} byte` : 'ikke modtaget';
  const renamed = name.split('/').at(-1) === file.fileName ? '' : `, oprindeligt navn: ${original}`;
  return `${name} (${note}${renamed})`;
}

/** A sender’s text must not be able to fake a line. */
function oneLine(text: string): string {
  return text.replace(/[\p{Cc}\p{Cf}\u2028\u2029]+/gu, ' ');
}
