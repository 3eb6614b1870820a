/** The errors of deliveries, from Digital Post and from Fordelingskomponenten: those of ERRORS that a metric counts as outcomes. */
export const DELIVERY_ERRORS = {
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
    meaning: 'The form is broken, or has no part with the message.',
  },
  'not-utf8': { http: 400, fault: 'peer', again: false, receipt: 'INVALID', meaning: 'The XML is not UTF-8.' },
  'forbidden-xml': {
    http: 400,
    fault: 'peer',
    again: false,
    receipt: 'INVALID',
    meaning: 'The XML has a document type, an entity of its own or a reserved name.',
  },
  'not-memo': { http: 400, fault: 'peer', again: false, receipt: 'INVALID', meaning: 'The XML is not a MeMo message.' },
  'not-sf2900': {
    http: 400,
    fault: 'peer',
    again: false,
    meaning: 'The XML is not a document from Fordelingskomponenten, or lacks what its receipts must repeat.',
  },
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
    meaning: 'The message did not arrive completely, or not in time.',
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
    meaning: 'NemSMS messages are not accepted.',
  },
  'not-taken-here': {
    http: 403,
    fault: 'peer',
    again: false,
    receipt: 'NOT_ALLOWED',
    meaning: 'The municipality has decided to refuse such messages.',
  },
  'not-yet': {
    http: 503,
    fault: 'ours',
    again: true,
    receipt: 'INVALID',
    meaning: 'The municipality has decided to take such messages later. Send it again later.',
  },
  'caller-not-allowed': {
    http: 403,
    fault: 'peer',
    again: false,
    receipt: 'NOT_ALLOWED',
    meaning: 'The caller may not deliver here.',
  },
  'unknown-transaction': {
    http: 404,
    fault: 'peer',
    again: false,
    meaning: 'The receipt from Fordelingskomponenten is of nothing that was sent on from here.',
  },
  'send-again': {
    http: 503,
    fault: 'ours',
    again: true,
    receipt: 'INVALID',
    meaning: 'The message could not be stored now. Send it again later; it is stored only once.',
  },
} as const satisfies Record<string, ErrorRow>;

/**
 * Every error that a caller can get. A test keeps docs/errors.md equal to this table.
 *
 * - `fault`: whose fault it is. `peer` is logged at info, `ours` at error.
 * - `again`: whether a retry of the same request can succeed; `read-first`: it may be done already.
 * - `http`: status of the answer, except in SOAP.
 * - `receipt`: receiptStatus of a refused delivery (Digital Post's receipt model); absent for the inbox API and SF2900.
 *
 * In SOAP, a peer's fault is `soap:Client`, ours is `soap:Server`.
 */
export const ERRORS = {
  ...DELIVERY_ERRORS,

  // The inbox API
  'bad-request': { http: 400, fault: 'peer', again: false, meaning: 'The request does not fit the API description.' },
  'municipality-required': {
    http: 400,
    fault: 'peer',
    again: false,
    meaning: 'The token has rights in several municipalities, and the call names none.',
  },
  'not-signed-in': { http: 401, fault: 'peer', again: false, meaning: 'A valid bearer token is required.' },
  'too-many-failed-sign-ins': {
    http: 429,
    fault: 'peer',
    again: true,
    meaning: 'The token is not valid, and too many sign-ins have failed from this address.',
  },
  'too-many-requests': {
    http: 429,
    fault: 'peer',
    again: true,
    meaning: 'The caller has made too many requests. Retry-After says when to go on.',
  },
  'role-missing': {
    http: 403,
    fault: 'peer',
    again: false,
    meaning: 'The caller lacks the role that the call requires.',
  },
  'assurance-too-low': {
    http: 403,
    fault: 'peer',
    again: false,
    meaning: 'The sign-in has a lower level of assurance than is required.',
  },
  'second-factor-missing': { http: 403, fault: 'peer', again: false, meaning: 'The sign-in had one factor only.' },
  'delegation-not-accepted': {
    http: 403,
    fault: 'peer',
    again: false,
    meaning: 'The caller is of another authority, whose people the municipality does not let in.',
  },
  'not-found': {
    http: 404,
    fault: 'peer',
    again: false,
    meaning: 'There is no such resource, or the caller may not see it.',
  },
  'method-not-allowed': {
    http: 405,
    fault: 'peer',
    again: false,
    meaning: 'The path does not take this method. Allow names those that it takes.',
  },
  'wrong-status': {
    http: 409,
    fault: 'peer',
    again: false,
    meaning: 'The status of the message does not allow this.',
  },
  'wrong-concern': {
    http: 409,
    fault: 'peer',
    again: false,
    meaning: 'The marks of a possible report of concern on the message do not allow this.',
  },
  'legal-hold': {
    http: 409,
    fault: 'peer',
    again: false,
    meaning: 'The message is under a legal hold, so nothing of it may be deleted. Lift the hold first.',
  },
  'wrong-legal-hold': {
    http: 409,
    fault: 'peer',
    again: false,
    meaning: 'The message is under a legal hold already; or it is under none that could be lifted.',
  },
  'wrong-deletion': {
    http: 409,
    fault: 'peer',
    again: false,
    meaning: 'A deletion of the message waits or runs already; or there is none that could be confirmed or cancelled.',
  },
  'second-person-needed': {
    http: 403,
    fault: 'peer',
    again: false,
    meaning: 'Another person than the one who asked for the deletion must confirm it.',
  },
  'rejection-told': {
    http: 409,
    fault: 'peer',
    again: false,
    meaning: 'The sender of the document has been told of its rejection, or may have been, so it cannot be reopened.',
  },
  'file-on-its-way': {
    http: 409,
    fault: 'peer',
    again: true,
    meaning: 'A file of the document is on its way. Wait until it is here or given up.',
  },
  'sent-on': {
    http: 409,
    fault: 'peer',
    again: false,
    meaning: 'The message is on its way to another authority, or has been sent on to one already.',
  },
  'unknown-case': {
    http: 409,
    fault: 'peer',
    again: true,
    meaning: 'The core has not registered the case.',
  },
  'case-not-open': {
    http: 409,
    fault: 'peer',
    again: true,
    meaning: 'The case is registered as closed or moved.',
  },
  'older-version': {
    http: 409,
    fault: 'peer',
    again: false,
    meaning: 'A newer version of the case is registered. Nothing is changed.',
  },
  'contact-point-exists': {
    http: 409,
    fault: 'peer',
    again: false,
    meaning: 'There is a contact point with this id. Change that one.',
  },
  'department-exists': {
    http: 409,
    fault: 'peer',
    again: false,
    meaning: 'There is a department with this id. Change that one.',
  },
  'unknown-department': {
    http: 409,
    fault: 'peer',
    again: true,
    meaning: 'The address book has no such department, or it is not active.',
  },
  'no-place-for-replies': {
    http: 409,
    fault: 'peer',
    again: true,
    meaning: 'Answers to the letter would not reach the inbox with this contact point.',
  },
  'reply-not-wanted': {
    http: 409,
    fault: 'peer',
    again: false,
    meaning: 'The message says that it is not to be answered.',
  },
  'handover-not-possible': {
    http: 409,
    fault: 'peer',
    again: true,
    meaning: 'The message cannot be offered to, or taken by, the other municipality as things are.',
  },
  'handover-ended': {
    http: 409,
    fault: 'peer',
    again: false,
    meaning: 'There is no open offer of the message: it was taken, refused, withdrawn, has expired, or was handled.',
  },
  'message-known': {
    http: 409,
    fault: 'peer',
    again: false,
    meaning: 'The municipality has this message already, or had it.',
  },
  'package-not-made': {
    http: 409,
    fault: 'peer',
    again: true,
    meaning: 'The access package is not made yet, or could not be made.',
  },
  'zip-too-large': {
    http: 422,
    fault: 'peer',
    again: false,
    meaning: 'The files of the messages are more than one zip may have. The detail tells both sizes.',
  },
  'zip-not-ready': {
    http: 409,
    fault: 'peer',
    again: true,
    meaning: 'The zip is not made yet, was cancelled, or could not be made.',
  },
  'file-not-here': {
    http: 409,
    fault: 'peer',
    again: true,
    meaning: 'The file is not here yet: it comes after its message.',
  },
  'file-held': {
    http: 409,
    fault: 'peer',
    again: true,
    meaning:
      'A file has not been scanned for malware yet, so nobody may open it. The event `files-scanned` says when it has.',
  },
  'file-unsafe': {
    http: 403,
    fault: 'peer',
    again: false,
    meaning:
      'A file has malware, or cannot be scanned. Only its own download opens it, and only to the role Indbakke.UsikreFiler.',
  },
  'key-reused': {
    http: 422,
    fault: 'peer',
    again: false,
    meaning: 'The Idempotency-Key was used for another request. Use a new one for each.',
  },
  'version-changed': {
    http: 412,
    fault: 'peer',
    again: false,
    meaning: 'It has changed since it was read. Read it again.',
  },
  'unsupported-media-type': {
    http: 415,
    fault: 'peer',
    again: false,
    meaning: 'The call does not accept this Content-Type.',
  },
  'range-not-satisfiable': { http: 416, fault: 'peer', again: false, meaning: 'The Range lies outside the file.' },
  'version-needed': {
    http: 428,
    fault: 'peer',
    again: false,
    meaning: 'The call requires If-Match with the version that was read.',
  },
  'content-damaged': { http: 500, fault: 'ours', again: false, meaning: 'The stored content fails verification.' },
  'content-gone': { http: 410, fault: 'peer', again: false, meaning: 'The content of the message has been removed.' },
  'position-gone': {
    http: 410,
    fault: 'peer',
    again: false,
    meaning: 'The feed does not have the events after this position. Ask for the latest one, then read the lists.',
  },
  internal: {
    http: 500,
    fault: 'ours',
    again: true,
    meaning: 'Something failed here. The log has it under the correlation id.',
  },
  unavailable: {
    http: 503,
    fault: 'ours',
    again: true,
    meaning: 'A required part does not answer. Try again later.',
  },
  'unknown-outcome': {
    http: 503,
    fault: 'ours',
    again: 'read-first',
    meaning: 'It is unknown whether the change was made. Read the message again before you retry.',
  },
} as const satisfies Record<string, ErrorRow>;

export interface ErrorRow {
  readonly http: number;
  readonly fault: 'peer' | 'ours';
  readonly again: boolean | 'read-first';
  readonly receipt?: 'INVALID' | 'NOT_ALLOWED';
  readonly meaning: string;
}

export type ErrorCode = keyof typeof ERRORS;
