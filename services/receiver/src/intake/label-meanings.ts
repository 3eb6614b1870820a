import { cprNumberOf } from '@indbakke/shared/ids';
import type { NewMessage } from './incoming-message.js';
import type { ContactPoint } from './municipality.js';

/** The message with what the fields of its contact point mean, as the municipality has set them up: whom it is about, and words. */
export function withMeanings(message: NewMessage, { infoLabels }: Pick<ContactPoint, 'infoLabels'>): NewMessage {
  const meaningOf = new Map(infoLabels.map(({ label, meaning }) => [folded(label), meaning]));
  const toldAs = (meaning: string) =>
    message.contactInfo
      .find(({ label, value }) => meaningOf.get(folded(label)) === meaning && value.trim())
      ?.value.trim();
  const words = [toldAs('school'), toldAs('reference')].filter((value) => value !== undefined);
  // What is no CPR number tells less than what the other fields are taken for.
  const id = cprNumberOf(toldAs('child-cpr') ?? '');
  const name = toldAs('child-name');
  const isTold = id !== undefined || name !== undefined;
  const concerning = { id, name };
  return {
    ...message,
    ...(isTold && !message.concerningIsGiven && { concerning }),
    ...(words.length > 0 && { infoWords: words }),
  };
}

/** People write a label in a form of their own: other case, spaces, or a colon at its end. */
function folded(label: string): string {
  return label
    .normalize('NFC')
    .toLowerCase()
    .replace(/\s+/g, ' ')
    .replace(/[\s:*]+$/, '')
    .trim();
}
