import { MiB } from '@indbakke/shared/config';
import { Problem } from '@indbakke/shared/errors';
import { charsetOf } from '@indbakke/shared/http';
import { onwardCodeOf } from '@indbakke/shared/lifecycle';
import { readXml, type XmlElement, type XmlFormat } from '@indbakke/shared/xml';
import { ENVELOPE_NAMESPACE } from '../../soap/envelope.js';
import type { SOAP_ACTIONS } from '../wsdl/namespaces.js';
import type { AnsweredReceipt, Failure, ReceiptFault, SendOutcome } from './outcome.js';
import type { HttpAnswer } from './post.js';

/** What an answer says besides that it is one. */
export interface Answered {
  readonly status: number;
  readonly receipt: AnsweredReceipt | undefined;
}

// Answers stray from the schema (docs/standards.md), so inside the Body namespaces are not looked at, nor what else there is.

/** The outcome that an answer tells of. An envelope that is a fault is one whatever the status. */
export async function readAnswer(
  operation: keyof typeof SOAP_ACTIONS,
  answer: HttpAnswer,
): Promise<SendOutcome<Answered>> {
  const { status } = answer;
  const failed = (code: Failure['code'], faultCodes: readonly string[] = []) => ({ code, status, faultCodes });
  const body = await bodyOf(answer);
  const fault = body && child(body, 'Fault');
  if (fault) return failed(isOfClient(fault) ? 'fault-client' : 'fault-server', faultCodesIn(fault));
  if (status < 200 || status > 299) return failed('http-status');
  const response = body && child(body, `${operation}Response`);
  if (!response && !isEmptyAnswer(operation, body)) return failed('not-soap');

  const receipt = response && receiptIn(response);
  if (receipt && (receipt.code === 'AFVIST' || receipt.code === 'FEJLET')) {
    return { code: 'refused', status, faultCodes: faultCodesIn(response), receipt };
  }
  return { code: 'sent', status, receipt };
}

/** The answer to a receipt is an empty element by the schema, which some services leave out. */
const isEmptyAnswer = (operation: string, body: XmlElement | undefined): boolean =>
  operation === 'FordelingskvitteringModtag' && body?.children.length === 0;

/** No message, and no files. */
const ANSWER: XmlFormat = {
  isMessage: () => false,
  isFile: () => false,
  isContent: () => false,
  contentWord: 'Envelope',
  isUuid: () => false,
  refusal: 'not-xml',
};
const LIMITS = { maxBytes: MiB, maxSkeletonBytes: MiB, maxFiles: 0, maxDepth: 64 };

/** The Body of the envelope, if it is one. */
async function bodyOf({ body, contentType }: HttpAnswer): Promise<XmlElement | undefined> {
  try {
    const { root } = await readXml(ANSWER, chunksOf(body), noFile, LIMITS, () => charsetOf(contentType));
    const isEnvelope = root.uri === ENVELOPE_NAMESPACE && root.local === 'Envelope';
    return isEnvelope ? child(root, 'Body') : undefined;
  } catch (error) {
    if (error instanceof Problem) return undefined;
    throw error;
  }
}

async function* chunksOf(body: Buffer): AsyncGenerator<Buffer> {
  yield body;
}

function noFile(): never {
  throw new Error('there is no file in an answer');
}

function receiptIn(response: XmlElement): AnsweredReceipt | undefined {
  // The schema has both spellings.
  const receipt = child(response, 'ForretningsKvittering') ?? child(response, 'Forretningskvittering');
  const code = receipt && onwardCodeOf(textOf(receipt, 'ForretningsValideringsKode') ?? '');
  return receipt && code && { code, reason: textOf(receipt, 'Begrundelse'), faults: faultsIn(receipt) };
}

function faultsIn(receipt: XmlElement): ReceiptFault[] {
  const faults = child(receipt, 'FejlListe')?.children.filter(({ local }) => local === 'Fejl') ?? [];
  return faults.map((fault) => ({ code: textOf(fault, 'FejlKode') ?? '', text: textOf(fault, 'FejlTekst') ?? '' }));
}

/** SOAP 1.1, §4.4.1: a code may be made narrower after a dot. What is not understood is a fault of the call too. */
const isOfClient = (fault: XmlElement): boolean =>
  /^(?:[^:]*:)?(?:Client|MustUnderstand|VersionMismatch)(?:\.|$)/.test(textOf(fault, 'faultcode') ?? '');

/** Not what could be a CPR number. */
const CODE = /^(?!.*\d{6}-?\d{4})[\w.-]{1,64}$/;
const MAX_CODES = 10;

/** FejlKode of a receipt, ErrorCode of Serviceplatformen’s own faults (ServiceplatformFault). */
function faultCodesIn(element: XmlElement): string[] {
  const found: string[] = [];
  const search = ({ local, text, children }: XmlElement) => {
    if ((local === 'FejlKode' || local === 'ErrorCode') && CODE.test(text.trim())) found.push(text.trim());
    for (const each of children) search(each);
  };
  search(element);
  return found.slice(0, MAX_CODES);
}

function child({ children }: XmlElement, name: string): XmlElement | undefined {
  return children.find(({ local }) => local === name);
}

function textOf(parent: XmlElement, name: string): string | undefined {
  return child(parent, name)?.text.trim();
}
