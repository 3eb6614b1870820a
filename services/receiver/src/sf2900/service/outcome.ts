import type { OnwardCode } from '@indbakke/shared/lifecycle';

/** Why something did not get across, as it is recorded. All may be tried again, with the same ids, and all but `refused` may end otherwise then. */
export const FAILURES = {
  'cannot-connect': 'There was no connection: the name, the network, or nobody listens.',
  tls: 'TLS failed: our certificate was not taken or cannot be read, or that of the service is of another issuer.',
  timeout: 'There was no whole answer within SF2900_SERVICE_SECONDS. It may be done nevertheless.',
  'connection-broken':
    'The connection ended before the whole answer. It may be done nevertheless; or our certificate was not taken, which not every server says.',
  'answer-too-large': 'The answer is over 1 MiB. It may be done nevertheless.',
  'http-status': 'The status is not 2xx, and the answer is not a SOAP fault.',
  'not-soap': 'The answer is not the one that the WSDL names.',
  'fault-client': 'A SOAP fault that puts it down to the call: often to the agreement, the certificate or the set-up.',
  'fault-server': 'A SOAP fault that puts it down to the service.',
  refused: 'The receipt in the answer is AFVIST or FEJLET: so it would be the next time.',
} as const;
export type FailureCode = keyof typeof FAILURES;

export interface Failure {
  readonly code: Exclude<FailureCode, 'refused'>;
  /** Of HTTP; undefined without an answer. */
  readonly status: number | undefined;
  /** Those of the answer, as far as they look like codes. Its texts may tell of a person, so they are not here. */
  readonly faultCodes: readonly string[];
}

export interface ReceiptFault {
  readonly code: string;
  readonly text: string;
}

/** What the service, or the recipient through it, says of an object. The texts may tell of a person. */
export interface AnsweredReceipt {
  readonly code: OnwardCode;
  readonly reason: string | undefined;
  readonly faults: readonly ReceiptFault[];
}

/** What came of sending something. */
export type SendOutcome<Sent = unknown> =
  | ({ readonly code: 'sent' } & Sent)
  | (Omit<Failure, 'code'> & { readonly code: 'refused'; readonly receipt: AnsweredReceipt })
  | Failure;
