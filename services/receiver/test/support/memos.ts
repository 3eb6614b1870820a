import { randomBytes, randomUUID } from 'node:crypto';
import { ODENSKOV } from '../../../../infra/src/testkit/stack.js';
import { type MemoSpec, writeMemo } from '../../../../infra/src/testkit/write-memo.js';

/** A MeMo with an id of its own, by which the test finds the message. */
export function newMemo<L extends MemoSpec>(memo: L): L & { messageUUID: string } {
  return { messageUUID: randomUUID(), ...memo };
}

/** Sizes around the boundaries of segments, decoder and buffers. */
export const TRICKY_SIZES = [0, 1, 2, 3, 65_535, 65_536, 65_537, 262_144, 700_001];

export function binaryFile(size: number) {
  return { name: `fil-${size}.bin`, type: 'application/octet-stream', content: randomBytes(size) };
}

/** A reply to a message that ODENSKOV sent. */
export function replyTo(messageUUID: string): MemoSpec {
  return {
    subject: 'SV: Afgørelse',
    replyData: [
      { messageUUID, senderID: ODENSKOV, recipientID: '4101019999', caseID: 'SAG-1', generatingSystemID: 'DUBU' },
      { messageUUID: randomUUID(), replyUUID: messageUUID, senderID: '4101019999', recipientID: ODENSKOV },
    ],
  };
}

/** Other ways to write the same message, equal to any XML parser. */
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

/** The MeMo as a string, for tests that change it. */
export const xmlOf = (memo: MemoSpec): string => writeMemo(memo).toString('utf8');

export interface ReceiptJson {
  readonly transmissionId: string;
  readonly messageUUID?: string;
  readonly receiptStatus: string;
  readonly timeStamp: string;
  readonly errorCode?: string;
  readonly errorMessage?: string;
}

export const receiptOf = async (answer: Response): Promise<ReceiptJson> => (await answer.json()) as ReceiptJson;

/** Rows for `test.each` whose `%s` is the name as written, neither quoted nor shortened. */
export const named = <Case extends { readonly what: string }>(cases: readonly Case[]): (readonly [string, Case])[] =>
  cases.map((of) => [of.what, of]);
