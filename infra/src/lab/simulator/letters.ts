import { createHash } from 'node:crypto';
import { writeDistribution } from '../../local/distribution/write-distribution.js';
import { type MemoSpecDocument, writeMemo } from '../../testkit/write-memo.js';
import type { Attachment } from './content.js';
import type { Kind } from './rhythm.js';

/** A way of sending: the MeMo as the body, in a form, in a SOAP envelope; a document of Fordelingskomponenten. */
export const CHANNELS = ['rest', 'form', 'soap', 'sf2900'] as const;
export type Channel = (typeof CHANNELS)[number];

export type LetterStatus =
  /** No answer that ends it: it is sent again. */
  | 'open'
  /** A positive receipt came. */
  | 'acknowledged'
  /** Refused, as a correct receiver must or may. */
  | 'refused';

/** What happened to a letter: kept for each one, so it is small. */
export interface LetterRecord {
  /** Of a document of Fordelingskomponenten: `transaction:object`, as the inbox API names it. */
  readonly messageUUID: string;
  /** CVR number. */
  readonly municipality: string;
  readonly channel: Channel;
  readonly kind: Kind | 'document' | 'fault';
  /** The fault that it belongs to. */
  readonly fault?: string;
  readonly status: LetterStatus;
  /** How often it was sent. */
  readonly attempts: number;
  /** Of its XML; of a document, of its file. */
  readonly bytes: number;
  /** SHA-256 of its files in hex, in their order; empty until it is sent, and of a fault. */
  readonly files: readonly string[];
  /** Milliseconds, as of `Date.now()`. */
  readonly sentAt: number | undefined;
  readonly acknowledgedAt: number | undefined;
  /** From the beginning of the attempt that was acknowledged to its receipt. */
  readonly tookMs: number | undefined;
  readonly transmissionId: string | undefined;
  /** The latest code of a negative receipt, or why there was no answer. */
  readonly lastFault: string | undefined;
}

export type Letter = { -readonly [Field in keyof LetterRecord]: LetterRecord[Field] } & {
  /** What it is written from; gone when nothing of it will be sent again. */
  spec: LetterSpec | undefined;
};

export type LetterSpec = WrittenLetter | { readonly xml: Buffer };

interface WrittenLetter {
  readonly citizen: string;
  readonly createdAt: string;
  /** Id of the letter that a reply is to, or that was forwarded. */
  readonly about: string;
  readonly attachment: Attachment;
  /** Line ends after the root element, for an exact size. */
  readonly padding?: number;
}

/** A body whose length is known before it is written. */
export interface Body {
  readonly length: number;
  pieces(): Iterable<Buffer>;
}

const PLACEHOLDER = Buffer.from('PLACEHOLDER.');

/** The MeMo of a letter, the same whenever it is sent. */
export function memoOf({ messageUUID, municipality, kind, spec }: Letter): Body {
  if (spec === undefined) throw new Error(`Nothing is left to write ${messageUUID} from.`);
  if ('xml' in spec) return bodyOf([spec.xml]);
  const { citizen, about, createdAt, attachment, padding = 0 } = spec;
  const attached: MemoSpecDocument = {
    label: 'Bilag',
    files: [{ name: 'bilag.pdf', type: 'application/pdf', content: PLACEHOLDER }],
  };
  const xml = writeMemo({
    messageUUID,
    createdDateTime: createdAt,
    subject: kind === 'reply' ? 'Svar på brev' : 'Henvendelse',
    sender: { id: citizen, name: 'Test Testesen' },
    recipient: { id: municipality },
    documents: [mainDocument(messageUUID), attached],
    ...(kind === 'reply' && {
      replyData: [{ messageUUID: about, senderID: municipality, recipientID: citizen }],
    }),
    ...(kind === 'forwarded' && { forwardedFrom: 'Test Testesen', forwardedUUID: about }),
  });
  const placeholder = PLACEHOLDER.toString('base64');
  const at = xml.indexOf(placeholder);
  const before = xml.subarray(0, at);
  const after = Buffer.concat([xml.subarray(at + placeholder.length), Buffer.alloc(padding, '\n')]);
  return {
    length: before.length + (attachment.bytes / 3) * 4 + after.length,
    *pieces() {
      yield before;
      yield* attachment.base64();
      yield after;
    },
  };
}

/** Its id is in it, so that no two letters have the same files. */
const textOf = (messageUUID: string) => Buffer.from(`Kære kommune. Det drejer sig om ${messageUUID}. Venlig hilsen\n`);

const mainDocument = (messageUUID: string): MemoSpecDocument => ({
  files: [{ name: 'brev.txt', type: 'text/plain', content: textOf(messageUUID) }],
});

/** SHA-256 of its files in hex; none of a letter whose XML was written elsewhere. */
export async function filesOf({ messageUUID, spec }: Letter): Promise<string[]> {
  if (spec === undefined || 'xml' in spec) return [];
  return [createHash('sha256').update(textOf(messageUUID)).digest('hex'), await spec.attachment.sha256()];
}

export function bodyOf(pieces: readonly Buffer[]): Body {
  return { length: pieces.reduce((sum, { length }) => sum + length, 0), pieces: () => pieces };
}

function around(before: string, body: Body, after: string): Body {
  const [head, tail] = [Buffer.from(before), Buffer.from(after)];
  return {
    length: head.length + body.length + tail.length,
    *pieces() {
      yield head;
      yield* body.pieces();
      yield tail;
    },
  };
}

/** A body with the headers that go with it. */
export interface Call {
  readonly body: Body;
  readonly headers: Readonly<Record<string, string>>;
}

const BOUNDARY = 'indbakke-simulator-7f3b0c55';

/** The part `file`, named by the message’s id (NGREF: Digital Post’s own REST push). */
export function inForm(memo: Body, messageUUID: string): Call {
  const head = `--${BOUNDARY}\r\nContent-Disposition: form-data; name="file"; filename="${messageUUID}"\r\nContent-Type: application/xml\r\n\r\n`;
  return {
    body: around(head, memo, `\r\n--${BOUNDARY}--\r\n`),
    headers: { 'content-type': `multipart/form-data; boundary=${BOUNDARY}` },
  };
}

const ENVELOPE_START =
  '<?xml version="1.0" encoding="UTF-8"?><soap:Envelope xmlns:soap="http://schemas.xmlsoap.org/soap/envelope/"><soap:Body><PostModtagRequest xmlns="urn:indbakke:sf1606:1">';
const ENVELOPE_END = '</PostModtagRequest></soap:Body></soap:Envelope>';
const SOAP_HEADERS = { 'content-type': 'text/xml; charset=utf-8', soapaction: '""' };

export function inEnvelope(memo: Body): Call {
  const [first = Buffer.alloc(0), ...rest] = memo.pieces();
  const bare = Buffer.from(first.toString('utf8').replace(/^\uFEFF?<\?xml[^>]*\?>/, ''));
  return { body: around(ENVELOPE_START, bodyOf([bare, ...rest]), ENVELOPE_END), headers: SOAP_HEADERS };
}

/** FordelingsobjektModtag for a file that is on the SFTP server. */
export function distributionOf({ messageUUID, municipality }: Letter, fileName: string): Call {
  const [transactionId = '', objectId = ''] = messageUUID.split(':');
  const spec = { transactionId, objectId, distributionId: transactionId, recipient: municipality, fileName };
  return { body: bodyOf([Buffer.from(writeDistribution(spec))]), headers: SOAP_HEADERS };
}

/** Of SF1606. */
export function callOf(channel: Channel, memo: Body, messageUUID: string): Call {
  if (channel === 'form') return inForm(memo, messageUUID);
  if (channel === 'soap') return inEnvelope(memo);
  return { body: memo, headers: { 'content-type': 'application/xml' } };
}

/** Forms ask for XML, so that both kinds of receipts are read. */
export const ACCEPT: Readonly<Record<Channel, string>> = {
  rest: 'application/json',
  form: 'application/xml',
  soap: 'text/xml',
  sf2900: 'text/xml',
};
