import { randomBytes, randomUUID } from 'node:crypto';
import { EXAMPLE_MUNICIPALITY } from '../../local/example-municipality.js';
import { type MemoSpec, textDocument } from '../../testkit/write-memo.js';
import { type Needle, needlesOfText } from './needles.js';

/** A letter whose every part that can be about a citizen is a plant: a value that is nowhere else. */
export interface PlantedLetter {
  readonly name: string;
  readonly memo: MemoSpec & { readonly messageUUID: string };
  /** What is planted, by what it is. */
  readonly plants: Readonly<Record<string, string>>;
}

const ALPHABET = 'bcdfghjklmnpqrstvwxz0123456789';
/** A word that no dictionary, file or other letter has. Lower case, as the words of the search are. */
export const word = () => Array.from(randomBytes(20), (byte) => ALPHABET[byte % ALPHABET.length]).join('');
/** An impossible CPR number: no year has a 99th month. It is no example of ours either, which the API's pages show. */
export const number = () => `4199${String(randomBytes(4).readUInt32LE() % 1_000_000).padStart(6, '0')}`;

const LARGE = 300_000; // bytes of content: a file in the content store; the others are small enough for the database

/**
 * @param size of its content
 * @param replyTo messageUUID of a sent message
 */
export function plantedLetter(
  name: string,
  size: 'small' | 'large',
  contactPointId: string,
  replyTo?: string,
): PlantedLetter {
  const plants = {
    subject: word(),
    'number of the sender': number(),
    'name of the sender': word(),
    'number of the citizen concerned': number(),
    'name of the citizen concerned': word(),
    'field for the contact point': word(),
    'label of a document': word(),
    'file name': word(),
    content: word(),
    ...(replyTo && { 'reference of the reply': word() }),
  } as const;
  const text = `${plants.content}\n${size === 'large' ? randomBytes(LARGE).toString('base64') : ''}`;
  return {
    name,
    plants,
    memo: {
      messageUUID: randomUUID(),
      subject: plants.subject,
      sender: { id: plants['number of the sender'], idType: 'CPR', name: plants['name of the sender'] },
      concerning: { cpr: plants['number of the citizen concerned'], name: plants['name of the citizen concerned'] },
      contactPointId,
      contactInfo: [{ label: 'Skole', value: plants['field for the contact point'] }],
      documents: [{ ...textDocument(text, `${plants['file name']}.txt`), label: plants['label of a document'] }],
      ...(replyTo && {
        replyData: [
          {
            messageUUID: randomUUID(),
            replyUUID: replyTo,
            senderID: EXAMPLE_MUNICIPALITY.cvr,
            messageID: plants['reference of the reply'] as string,
            generatingSystemID: 'DUBU',
          },
        ],
      }),
    },
  };
}

export const needlesOfPlants = (letter: string, plants: Readonly<Record<string, string>>): Needle[] =>
  Object.entries(plants).flatMap(([what, value]) => needlesOfText(`${letter}: ${what}`, value));
