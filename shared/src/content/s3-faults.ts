import { NotReady, type Reason } from '../readiness/index.js';
import { hasCode } from './folders.js';

/** Where a store is, for its sentences. Without keys. */
export interface S3Place {
  readonly bucket: string;
  readonly prefix: string;
  /** Of the server. */
  readonly host: string;
}

/** What is wrong, and what an operator does about it at the start. Those without a sentence pass, or mend without us. */
const FAULTS = {
  missing: ({ bucket, host }) => `${host} has no bucket ${bucket}. Create it or correct the setting`,
  'login-refused': ({ host }) =>
    `${host} refuses the key. Correct AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY or AWS_REGION`,
  'no-access': ({ bucket, prefix }, action) =>
    `the key may not ${action} in ${bucket}/${prefix}. Allow it (docs/s3.md)`,
  'clock-wrong': ({ host }) => `the clock of this machine is not that of ${host}. Correct it`,
  'tls-failed': ({ host }, _action, code) =>
    `the certificate of ${host} is not accepted (${code}). Name its issuer in NODE_EXTRA_CA_CERTS, or correct AWS_ENDPOINT_URL_S3`,
  'no-host': ({ host }) => `there is no host ${host}. Correct AWS_ENDPOINT_URL_S3`,
  'no-answer': undefined,
  full: undefined,
} satisfies Record<string, ((place: S3Place, action: string, code: string) => string) | undefined>;
type Fault = keyof typeof FAULTS;

// https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html
const BY_NAME: Readonly<Record<string, Fault>> = {
  NoSuchBucket: 'missing',
  InvalidBucketName: 'missing',
  InvalidAccessKeyId: 'login-refused',
  SignatureDoesNotMatch: 'login-refused',
  AuthorizationHeaderMalformed: 'login-refused',
  PermanentRedirect: 'login-refused',
  IllegalLocationConstraintException: 'login-refused',
  ExpiredToken: 'login-refused',
  InvalidToken: 'login-refused',
  InvalidSecurity: 'login-refused',
  CredentialsProviderError: 'login-refused',
  RequestTimeTooSkewed: 'clock-wrong',
  AccessDenied: 'no-access',
  AllAccessDisabled: 'no-access',
  AccountProblem: 'no-access',
  QuotaExceeded: 'full',
  InsufficientStorage: 'full',
  TimeoutError: 'no-answer',
  ENOTFOUND: 'no-host',
  ECONNREFUSED: 'no-answer',
  ECONNRESET: 'no-answer',
  EPIPE: 'no-answer',
  ETIMEDOUT: 'no-answer',
  EHOSTUNREACH: 'no-answer',
  ENETUNREACH: 'no-answer',
  EAI_AGAIN: 'no-answer',
};

// HEAD has no body with a name.
const BY_STATUS: Readonly<Record<number, Fault>> = { 401: 'login-refused', 403: 'no-access', 507: 'full' };

const TLS = /^(?:ERR_TLS_|ERR_SSL_|CERT_|UNABLE_TO_|SELF_SIGNED|DEPTH_ZERO|EPROTO)/;

/** Undefined: something else. */
function faultOf(error: unknown): Fault | undefined {
  const { name = '', code } = error as { name?: string; code?: string };
  const status = statusOf(error);
  if (code !== undefined && TLS.test(code)) return 'tls-failed';
  return BY_NAME[name] ?? BY_NAME[code ?? ''] ?? BY_STATUS[status] ?? (status >= 500 ? 'no-answer' : undefined);
}

/** The sentence for who starts a process; undefined when starting may go on, since it passes or readiness tells it. */
export function faultAtStart(error: unknown, place: S3Place, action: string): string | undefined {
  const fault = faultOf(error);
  if (fault === undefined)
    return `${place.host} does not let us ${action} in ${place.bucket}/${place.prefix} (${(error as Error).name})`;
  return FAULTS[fault]?.(place, action, (error as { code?: string }).code ?? '');
}

/** @throws NotReady, or the error itself when it is something else */
export function explain(error: unknown): never {
  const fault = faultOf(error);
  const reason: Reason | undefined = fault === 'no-host' ? 'no-answer' : fault;
  throw reason ? new NotReady(reason, { cause: error }) : error;
}

/** HTTP status of the answer; 0 when there was none. */
export function statusOf(error: unknown): number {
  const { $metadata } = error as { $metadata?: { httpStatusCode?: number } };
  return $metadata?.httpStatusCode ?? 0;
}

/** Whether S3 says that there is no such object. */
export const isNoSuchKey = (error: unknown): boolean => named(error, 'NoSuchKey') || named(error, 'NotFound');

/** Whether S3 says that there is no such upload in parts: it has ended, one way or the other. */
export const isNoSuchUpload = (error: unknown): boolean => named(error, 'NoSuchUpload');

/** Whether the range begins after the end of the object. */
export const isBeyondEnd = (error: unknown): boolean => named(error, 'InvalidRange') || statusOf(error) === 416;

/** Whether the server does not know conditions of a PUT, as Swift. */
export const isNotImplemented = (error: unknown): boolean => named(error, 'NotImplemented') || statusOf(error) === 501;

/** Whether the object is another one than If-Match names. */
export const isAnother = (error: unknown): boolean => statusOf(error) === 412;

function named(error: unknown, name: string): boolean {
  return (error instanceof Error && error.name === name) || hasCode(error, name);
}
