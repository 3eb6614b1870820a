/**
 * Every error that a caller can get, in one table. docs/errors.md shows it to readers; a test holds the two equal.
 *
 * - `fault`: whose it is. `peer` is logged at info, `ours` at error.
 * - `again`: whether sending the very same request again can succeed.
 * - `http`: status of the REST and JSON form.
 * - `receipt`: the receiptStatus of a refusal on the way in (Digital Post's own receipt model); absent for the inbox API.
 *
 * The SOAP form is derived: a peer's fault is `soap:Client`, ours is `soap:Server`.
 */
export const ERRORS = {
  // The way in
  'not-xml': {
    http: 400,
    fault: 'peer',
    again: false,
    receipt: 'INVALID',
    meaning: 'The body is not well-formed XML.',
  },
  'not-multipart': {
    http: 400,
    fault: 'peer',
    again: false,
    receipt: 'INVALID',
    meaning: 'The form that should hold the message is broken, or does not hold it.',
  },
  'not-utf8': { http: 400, fault: 'peer', again: false, receipt: 'INVALID', meaning: 'The XML is not UTF-8.' },
  'forbidden-xml': {
    http: 400,
    fault: 'peer',
    again: false,
    receipt: 'INVALID',
    meaning: 'The XML uses a document type, an entity of its own or a reserved element name.',
  },
  'not-memo': { http: 400, fault: 'peer', again: false, receipt: 'INVALID', meaning: 'The XML is not a MeMo message.' },
  'no-message-uuid': {
    http: 400,
    fault: 'peer',
    again: false,
    receipt: 'INVALID',
    meaning: 'The message has no messageUUID.',
  },
  'content-not-base64': {
    http: 400,
    fault: 'peer',
    again: false,
    receipt: 'INVALID',
    meaning: 'The content of a file is not base64.',
  },
  'body-incomplete': {
    http: 400,
    fault: 'peer',
    again: true,
    receipt: 'INVALID',
    meaning: 'The connection ended before the message did.',
  },
  'too-large': {
    http: 413,
    fault: 'peer',
    again: false,
    receipt: 'INVALID',
    meaning: 'The message is over the size limit.',
  },
  'skeleton-too-large': {
    http: 413,
    fault: 'peer',
    again: false,
    receipt: 'INVALID',
    meaning: 'The message is over the size limit even without the contents of its files.',
  },
  'not-our-recipient': {
    http: 403,
    fault: 'peer',
    again: false,
    receipt: 'NOT_ALLOWED',
    meaning: 'The message is not addressed to a municipality known here.',
  },
  nemsms: {
    http: 403,
    fault: 'peer',
    again: false,
    receipt: 'NOT_ALLOWED',
    meaning: 'NemSMS messages are not taken in.',
  },
  'caller-not-allowed': {
    http: 403,
    fault: 'peer',
    again: false,
    receipt: 'NOT_ALLOWED',
    meaning: 'The calling system is not allowed to deliver mail here.',
  },
  'send-again': {
    http: 503,
    fault: 'ours',
    again: true,
    receipt: 'INVALID',
    meaning: 'The message could not be stored now. Send it again later: it is stored once, however often it comes.',
  },

  // The inbox API
  'bad-request': { http: 400, fault: 'peer', again: false, meaning: 'The request does not fit the API description.' },
  'not-signed-in': { http: 401, fault: 'peer', again: false, meaning: 'A valid bearer token is needed.' },
  'role-missing': { http: 403, fault: 'peer', again: false, meaning: 'The caller lacks the role that the call needs.' },
  'not-found': {
    http: 404,
    fault: 'peer',
    again: false,
    meaning: 'There is no such thing, or the caller may not see it.',
  },
  'wrong-status': {
    http: 409,
    fault: 'peer',
    again: false,
    meaning: 'The status of the message does not allow the step.',
  },
  'version-changed': {
    http: 412,
    fault: 'peer',
    again: false,
    meaning: 'Someone else changed the message first. Read it again.',
  },
  'unsupported-media-type': {
    http: 415,
    fault: 'peer',
    again: false,
    meaning: 'The Content-Type is not one the call takes.',
  },
  'range-not-satisfiable': { http: 416, fault: 'peer', again: false, meaning: 'The Range lies outside the file.' },
  'version-needed': {
    http: 428,
    fault: 'peer',
    again: false,
    meaning: 'The call needs If-Match with the version that was read.',
  },
  'content-damaged': { http: 500, fault: 'ours', again: false, meaning: 'The stored content does not verify.' },
  'content-gone': { http: 410, fault: 'peer', again: false, meaning: 'The content of the message has been removed.' },
  internal: {
    http: 500,
    fault: 'ours',
    again: true,
    meaning: 'Something failed here. It is logged under the correlation id.',
  },
  unavailable: {
    http: 503,
    fault: 'ours',
    again: true,
    meaning: 'A part that the call needs does not answer. Try again later.',
  },
} as const satisfies Record<string, ErrorRow>;

export interface ErrorRow {
  readonly http: number;
  readonly fault: 'peer' | 'ours';
  readonly again: boolean;
  readonly receipt?: 'INVALID' | 'NOT_ALLOWED';
  readonly meaning: string;
}

export type ErrorCode = keyof typeof ERRORS;
