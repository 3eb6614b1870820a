import { randomUUID } from 'node:crypto';
import { Readable } from 'node:stream';
import { MEMO_NAMESPACE } from '@indbakke/shared/memo';

/** What writeMemo writes as MeMo 1.2; what is left out has a default. */
export interface MemoSpec {
  readonly messageUUID?: string;
  readonly messageType?: string;
  readonly subject?: string;
  readonly sender?: { readonly id: string; readonly idType?: string; readonly name: string };
  /** Who acts on behalf of the sender. */
  readonly representative?: { readonly id?: string; readonly idType?: string; readonly name?: string };
  readonly replyBy?: string;
  /** Whether the sender wants an answer. */
  readonly reply?: boolean;
  /** CVR number of the receiving municipality. */
  readonly recipient?: { readonly id: string; readonly idType?: string };
  readonly contactPointId?: string;
  readonly contactInfo?: readonly { readonly label: string; readonly value: string }[];
  /** The person that the message is about. */
  readonly concerning?: { readonly cpr: string; readonly name: string };
  readonly forwardedFrom?: string;
  /** Id of the message that was forwarded. */
  readonly forwardedUUID?: string;
  readonly replyData?: readonly ReplyEntry[];
  readonly createdDateTime?: string;
  /** The main document, then attachments. Each has one or more files. */
  readonly documents?: readonly MemoSpecDocument[];
}

export interface ReplyEntry {
  readonly messageID?: string;
  readonly messageUUID: string;
  readonly replyUUID?: string;
  readonly senderID?: string;
  readonly recipientID?: string;
  readonly caseID?: string;
  readonly contactPointID?: string;
  readonly generatingSystemID?: string;
}

export interface MemoSpecDocument {
  /** For machines; after the others. */
  readonly technical?: true;
  readonly label?: string;
  readonly files: readonly MemoSpecFile[];
}

export interface MemoSpecFile {
  readonly name: string;
  readonly type: string;
  readonly content: Buffer;
}

/** An impossible CPR number: no month has a 41st day. */
export const TEST_CITIZEN = { id: '4101019999', idType: 'CPR', name: 'Test Testesen' };

/** The MeMo in UTF-8. */
export function writeMemo(memo: MemoSpec = {}): Buffer {
  return Buffer.concat([...memoPieces(memo)]);
}

/** The same as a stream with one slice of content in memory at a time, for MeMos of 100 MB. */
export function streamMemo(memo: MemoSpec): Readable {
  return Readable.from(memoPieces(memo), { objectMode: false });
}

// A multiple of 3 bytes gives whole base64 quanta.
const SLICE = 48 * 1024;

function* memoPieces(memo: MemoSpec): Generator<Buffer> {
  const { messageUUID = randomUUID(), documents = [textDocument('Kære kommune. Venlig hilsen')] } = memo;
  yield Buffer.from(`<?xml version="1.0" encoding="UTF-8"?>
<memo:Message xmlns:memo="${MEMO_NAMESPACE}" xmlns:grd="https://data.gov.dk/model/core/" memoVersion="1.2">
${header({ ...memo, messageUUID })}
  <memo:MessageBody>
    ${element('createdDateTime', memo.createdDateTime ?? '2026-11-02T08:12:00Z')}
`);
  for (const [position, document] of documents.entries()) {
    const name = document.technical ? 'TechnicalDocument' : position === 0 ? 'MainDocument' : 'AdditionalDocument';
    yield Buffer.from(`    <memo:${name}>\n${element('label', document.label)}`);
    for (const file of document.files) yield* filePieces(file);
    yield Buffer.from(`    </memo:${name}>\n`);
  }
  yield Buffer.from('  </memo:MessageBody>\n</memo:Message>\n');
}

function* filePieces({ name, type, content }: MemoSpecFile): Generator<Buffer> {
  const facts = element('encodingFormat', type) + element('filename', name) + element('language', 'da');
  yield Buffer.from(`      <memo:File>${facts}<memo:content>`);
  for (let at = 0; at < content.length; at += SLICE) {
    yield Buffer.from(content.subarray(at, at + SLICE).toString('base64'), 'latin1');
  }
  yield Buffer.from('</memo:content></memo:File>\n');
}

function header(memo: MemoSpec & { messageUUID: string }): string {
  const { sender = TEST_CITIZEN, representative, recipient = { id: '22222222' }, concerning, contactInfo = [] } = memo;
  const info = contactInfo.map(({ label, value }) =>
    group('ContactInfo', element('label', label) + element('value', value)),
  );
  const contactPoint =
    memo.contactPointId === undefined
      ? ''
      : group('ContactPoint', element('contactPointID', memo.contactPointId) + info.join(''));
  const cprData = concerning && element('cprNumber', concerning.cpr, 'grd') + element('name', concerning.name, 'grd');
  return group(
    'MessageHeader',
    [
      element('messageType', memo.messageType ?? 'DIGITALPOST'),
      element('messageUUID', memo.messageUUID),
      element('label', memo.subject ?? 'Henvendelse'),
      element('reply', memo.reply === undefined ? undefined : String(memo.reply)),
      element('replyByDateTime', memo.replyBy),
      group(
        'Sender',
        element('senderID', sender.id) +
          element('idType', sender.idType ?? 'CPR') +
          element('label', sender.name) +
          (representative ? representativeOf(representative) : ''),
      ),
      group(
        'Recipient',
        element('recipientID', recipient.id) + element('idType', recipient.idType ?? 'CVR') + contactPoint,
      ),
      cprData ? group('ContentData', `<grd:CPRdata>${cprData}</grd:CPRdata>`) : '',
      memo.forwardedFrom === undefined ? '' : forwardData(memo.forwardedFrom, memo.forwardedUUID),
      ...(memo.replyData ?? []).map(replyData),
    ].join('\n'),
  );
}

function representativeOf({ id, idType, name }: NonNullable<MemoSpec['representative']>): string {
  const inside = element('representativeID', id) + element('idType', idType) + element('label', name);
  return group('Representative', inside);
}

function forwardData(originalSender: string, messageUUID: string = randomUUID()): string {
  return group(
    'ForwardData',
    element('messageUUID', messageUUID) +
      element('originalMessageDateTime', '2026-10-30T10:00:00Z') +
      element('originalSender', originalSender),
  );
}

function replyData(entry: ReplyEntry): string {
  const names = [
    'messageID',
    'messageUUID',
    'replyUUID',
    'senderID',
    'recipientID',
    'caseID',
    'contactPointID',
    'generatingSystemID',
  ] as const;
  return group('ReplyData', names.map((name) => element(name, entry[name])).join(''));
}

/** One document with one small text file. */
export function textDocument(text: string, name = 'besked.txt'): MemoSpecDocument {
  return { files: [{ name, type: 'text/plain', content: Buffer.from(text) }] };
}

function group(name: string, inside: string): string {
  return `<memo:${name}>${inside}</memo:${name}>`;
}

function element(name: string, value: string | undefined, prefix = 'memo'): string {
  return value === undefined ? '' : `<${prefix}:${name}>${escapeXml(value)}</${prefix}:${name}>`;
}

function escapeXml(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}
