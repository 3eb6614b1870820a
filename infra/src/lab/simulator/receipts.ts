import { mediaTypeOf } from '@indbakke/shared/http';
import { parseStringPromise, processors } from 'xml2js';
import type { Answer } from './client.js';
import type { Channel } from './letters.js';

/** What a receipt says, and what is wrong with it. */
export interface Reading {
  /** Of HTTP. */
  readonly status: number;
  readonly isPositive: boolean;
  /** Whether the answer is a receipt at all, good or bad. */
  readonly isReceipt: boolean;
  /** Of a negative one: its errorCode or code, else the HTTP status. */
  readonly code: string | undefined;
  /** In small letters. */
  readonly transmissionId: string | undefined;
  /** A sentence each. */
  readonly findings: readonly string[];
}

export const JSON_RECEIPT = 'application/json';
export const XML_RECEIPT = 'application/xml';

type Fields = Readonly<Record<string, unknown>>;

const UUID = /^[\da-f]{8}(-[\da-f]{4}){3}-[\da-f]{12}$/i;
const NEGATIVE = ['INVALID', 'NOT_ALLOWED'];
const FUTURE_MS = 5 * 60_000;

/** What a proxy answers while the receiver behind it is away. */
export const isAway = (status: number): boolean => [502, 503, 504].includes(status);

/** Whether it says no in whatever way, not only by a receipt. */
export const isRefusal = ({ status, body }: Answer): boolean => status >= 300 && !body.includes('COMPLETED');

/**
 * Reads an answer as strictly as the strictest sender might.
 *
 * @param messageUUID of the letter that was sent
 * @param accept the media type that was asked for
 */
export async function readReceipt(
  answer: Answer,
  channel: Channel,
  messageUUID: string,
  accept: string,
): Promise<Reading> {
  const { status, body } = answer;
  const type = mediaTypeOf(answer.contentType);
  const fields = await fieldsOf(answer, channel, type === JSON_RECEIPT).catch(() => undefined);
  const isReceipt = fields !== undefined && (channel === 'sf2900' || fields.receiptStatus !== undefined);
  const none = { status, isPositive: false, isReceipt, code: `HTTP ${status}`, transmissionId: undefined };
  if (!isReceipt && isAway(status)) return { ...none, findings: [] };
  const findings: string[] = [];
  const expected = channel === 'soap' || channel === 'sf2900' ? 'text/xml' : accept;
  if (type !== expected) findings.push(`Content-Type is ${type || 'missing'}, not ${expected}`);
  if (!fields) {
    findings.push(body === '' ? 'the answer has no body' : 'the answer cannot be read as a receipt');
    return { ...none, findings };
  }
  const read =
    channel === 'sf2900'
      ? readTechnical(answer, fields, findings)
      : readDigitalPost(answer, fields, messageUUID, findings);
  return { ...read, isReceipt };
}

type Read = Omit<Reading, 'isReceipt'>;

/** The receipt of Digital Post’s own model (NGREF, OTX; assumed for SF1606). */
function readDigitalPost({ status, body }: Answer, fields: Fields, messageUUID: string, findings: string[]): Read {
  const text = (name: string) => (fields[name] === undefined || fields[name] === null ? '' : String(fields[name]));
  const [receiptStatus, errorCode, transmissionId] = ['receiptStatus', 'errorCode', 'transmissionId'].map(text);
  const isSuccess = status >= 200 && status < 300;
  const isPositive = isSuccess && receiptStatus === 'COMPLETED' && !errorCode?.trim();
  // digitaliser.dk, news 7142459: on success errorCode is absent, null or blank; even "0" counts as negative.
  if (receiptStatus === 'COMPLETED' && errorCode?.trim()) findings.push(`COMPLETED with the errorCode ${errorCode}`);
  if (!isSuccess && receiptStatus === 'COMPLETED') findings.push(`COMPLETED with the HTTP status ${status}`);
  if (isSuccess && receiptStatus !== 'COMPLETED')
    findings.push(`the HTTP status ${status} with the receiptStatus ${receiptStatus || 'missing'}`);
  if (!isSuccess && receiptStatus !== 'COMPLETED' && !NEGATIVE.includes(receiptStatus ?? ''))
    findings.push(`the receiptStatus ${receiptStatus || 'missing'} of a negative receipt`);
  if (!isPositive && !errorCode?.trim()) findings.push('a negative receipt without errorCode');
  if (!UUID.test(transmissionId ?? '')) findings.push('transmissionId is no UUID');
  const named = text('messageUUID').toLowerCase();
  if (isPositive && named !== messageUUID.toLowerCase())
    findings.push(named === '' ? 'a positive receipt without messageUUID' : 'the receipt names another messageUUID');
  if (!isPositive && named !== '' && named !== messageUUID.toLowerCase())
    findings.push('the receipt names another messageUUID');
  const timeStamp = text('timeStamp');
  const time = Date.parse(timeStamp);
  if (!/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z$/.test(timeStamp) || Number.isNaN(time))
    findings.push('timeStamp is no time in UTC');
  else if (time > Date.now() + FUTURE_MS) findings.push('timeStamp is in the future');
  if (Buffer.byteLength(body) > 10_000) findings.push('the receipt is over 10 kB');
  return {
    status,
    isPositive,
    code: isPositive ? undefined : errorCode ? `errorCode ${errorCode}` : `HTTP ${status}`,
    transmissionId: transmissionId?.toLowerCase(),
    findings,
  };
}

/** SF2900, the technical receipt: both codes say yes (WS29; added 2026-11). */
const TAKEN = ['ACCEPTERET', 'MODTAGET'];

function readTechnical({ status }: Answer, fields: Fields, findings: string[]): Read {
  const isFault = fields.TransportKvittering !== undefined;
  const receipt = (fields.ForretningsKvittering ?? fields.TransportKvittering) as Fields | undefined;
  const code = String(receipt?.ForretningsValideringsKode ?? receipt?.TransportValideringsKode ?? '');
  const isPositive = status === 200 && !isFault && TAKEN.includes(code);
  if (isFault !== (status === 500)) findings.push(`the HTTP status ${status} of ${isFault ? 'a Fault' : 'a receipt'}`);
  if (!isFault && ![...TAKEN, 'AFVIST'].includes(code)) findings.push(`the code ${code || 'missing'}`);
  if (!isFault && receipt?.Kvitteringstype !== 'Teknisk') findings.push('the receipt is not of the kind Teknisk');
  return {
    status,
    isPositive,
    code: isPositive ? undefined : code || `HTTP ${status}`,
    transmissionId: undefined,
    findings,
  };
}

async function fieldsOf({ body }: Answer, channel: Channel, isJson: boolean): Promise<Fields | undefined> {
  if (isJson) {
    const parsed: unknown = JSON.parse(body);
    return typeof parsed === 'object' && parsed !== null ? (parsed as Fields) : undefined;
  }
  const parsed = await parseStringPromise(body, {
    tagNameProcessors: [processors.stripPrefix],
    explicitArray: false,
    ignoreAttrs: true,
  });
  if (channel === 'rest' || channel === 'form') return objectOf(parsed?.Receipt);
  const { PostModtagResponse, FordelingsobjektModtagResponse, Fault } = parsed.Envelope.Body;
  if (channel === 'soap') return objectOf(PostModtagResponse ?? Fault?.detail?.PostModtagFault);
  return objectOf(FordelingsobjektModtagResponse ?? Fault?.detail);
}

const objectOf = (value: unknown): Fields | undefined =>
  typeof value === 'object' && value !== null ? (value as Fields) : undefined;
