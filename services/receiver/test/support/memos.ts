import { randomBytes, randomUUID } from 'node:crypto';
import { ODENSKOV } from '../../../../infra/src/testkit/stack.js';
import { type Letter, writeMemo } from '../../../../infra/src/testkit/write-memo.js';

/** A letter with an id of its own, so that the test can find it again. */
export function newMemo<L extends Letter>(letter: L): L & { messageUUID: string } {
  return { messageUUID: randomUUID(), ...letter };
}

/** Sizes around the borders of segments, decoder and buffers, and what is no text. */
export const TRICKY_SIZES = [0, 1, 2, 3, 65_535, 65_536, 65_537, 262_144, 700_001];

export function binaryFile(size: number) {
  return { name: `fil-${size}.bin`, type: 'application/octet-stream', content: randomBytes(size) };
}

/** A reply to a letter of ODENSKOV’s. */
export function replyTo(messageUUID: string): Letter {
  return {
    subject: 'SV: Afgørelse',
    replyData: [
      { messageUUID, senderID: ODENSKOV, recipientID: '4101019999', caseID: 'SAG-1', generatingSystemID: 'DUBU' },
      { messageUUID: randomUUID(), replyUUID: messageUUID, senderID: '4101019999', recipientID: ODENSKOV },
    ],
  };
}

/** Other ways to write the same letter: equal to every reader of XML. */
export const SAME_MESSAGE_WRITTEN: Readonly<Record<string, (xml: string) => string>> = {
  'with a byte order mark': (xml) => `\uFEFF${xml}`,
  'with another prefix': (xml) => xml.replaceAll('memo:', 'x:').replace('xmlns:memo=', 'xmlns:x='),
  'with a default namespace': (xml) => xml.replaceAll('memo:', '').replace('xmlns:memo=', 'xmlns='),
  'with its content in CDATA': (xml) => xml.replace(/(<memo:content>)([^<]*)(<\/memo:content>)/g, '$1<![CDATA[$2]]>$3'),
  'with its texts in CDATA': (xml) => xml.replace(/(<memo:label>)([^<]*)(<\/memo:label>)/g, '$1<![CDATA[$2]]>$3'),
  'with line-wrapped base64': (xml) =>
    xml.replace(/(<memo:content>)([^<]*)/g, (_, tag: string, text: string) => {
      return `${tag}\r\n${text.replace(/.{1,76}/g, '$&\r\n')}`;
    }),
  'with character references': (xml) => xml.replace('Henvendelse', '&#72;env&#x65;ndelse'),
  'without white space between elements': (xml) => xml.replace(/>\s+</g, '><'),
  'with comments': (xml) => xml.replaceAll('<memo:Sender>', '<!-- afsender --><memo:Sender>'),
  'with its id in upper case': (xml) =>
    xml.replace(/(<memo:messageUUID>)([^<]*)/, (_, tag: string, id: string) => tag + id.toUpperCase()),
};

/** The letter as a string, for tests that change it by hand. */
export const xmlOf = (letter: Letter): string => writeMemo(letter).toString('utf8');

export interface ReceiptJson {
  readonly transmissionId: string;
  readonly messageUUID?: string;
  readonly receiptStatus: string;
  readonly timeStamp: string;
  readonly errorCode?: string;
  readonly errorMessage?: string;
}

export const receiptOf = async (answer: Response): Promise<ReceiptJson> => (await answer.json()) as ReceiptJson;

/** Rows for `test.each`, whose name is then `%s`: as written, neither quoted nor cut. */
export const named = <Case extends { readonly what: string }>(cases: readonly Case[]): (readonly [string, Case])[] =>
  cases.map((of) => [of.what, of]);
