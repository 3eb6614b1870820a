import { NotReady } from '../readiness/index.js';

// SQLSTATE (PostgreSQL, appendix A): 08 connection, 57P shutdown and start; 53300 too many connections; 28 authorization.
const AWAY = /^(08|57P|ECONN|EPIPE|ETIMEDOUT|ENOTFOUND|EAI_AGAIN|EHOST|ENETUNREACH)/;
const TLS = /CERT|TLS|SSL/;
// What pg and pg-pool report without a code.
const AWAY_MESSAGES =
  /^(Connection terminated|Client has encountered a connection error|Query read timeout|timeout expired)/;
const NO_CONNECTION_FREE = /^timeout exceeded when trying to connect/;
const NO_TLS = /^The server does not support SSL connections/;
// PgBouncer has one code for its own refusals.
const POOLER_REFUSES = '08P01';
const POOLER_REFUSALS: readonly (readonly [RegExp, NotReady['reason']])[] = [
  [/authentication failed|no such user/, 'login-refused'],
  [/no such database|^database .* does not exist/, 'database-missing'],
  [/query_wait_timeout|no more connections/, 'no-connection-free'],
];

/** Whether PostgreSQL is down, starting or unreachable, or has no connection free. */
export function isAway(error: Error): boolean {
  const { code, message } = error as Error & { code?: unknown };
  return AWAY.test(String(code)) || AWAY_MESSAGES.test(message) || NO_CONNECTION_FREE.test(message);
}

/** Whether a query timed out without an answer: its connection is unusable. */
export function isUnanswered(error: unknown): boolean {
  return error instanceof Error && error.message === 'Query read timeout';
}

/**
 * Handles the error of a SET ROLE.
 *
 * @throws NotReady role-missing, or the error itself
 */
export function explainRole(role: string): (cause: { code?: string }) => never {
  return (cause) => {
    // PostgreSQL, appendix A: 22023 there is no such role, 42501 the login is not a member.
    throw ['22023', '42501'].includes(cause.code ?? '') ? new NotReady('role-missing', { role, cause }) : cause;
  };
}

/** Says why PostgreSQL does not answer; any other error is returned as it is. */
export function explainPostgres(error: unknown): unknown {
  if (!(error instanceof Error) || error instanceof NotReady) return error;
  const { code = '', severity, message } = error as Error & { code?: string; severity?: string };
  const because = (reason: NotReady['reason']) => new NotReady(reason, { cause: error });
  if (code === '53300' || NO_CONNECTION_FREE.test(message)) return because('no-connection-free');
  // 42501 as FATAL: the login may not connect to this database.
  if (code.startsWith('28') || (code === '42501' && severity === 'FATAL')) return because('login-refused');
  if (code === '3D000') return because('database-missing');
  if (TLS.test(code) || NO_TLS.test(message)) return because('tls-failed');
  const refusal = code === POOLER_REFUSES && POOLER_REFUSALS.find(([text]) => text.test(message));
  if (refusal) return because(refusal[1]);
  return isAway(error) ? because('no-answer') : error;
}
