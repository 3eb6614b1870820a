// SQLSTATE classes: 08 connection, 53 out of resources (connections, disk), 57P admin shutdown and restart; 40001 and 40P01
// serialization failure and deadlock, which succeed on retry.
const SQLSTATE = /^(08|53|57P|40001|40P01)/;
const SYSTEM = new Set(['ECONNREFUSED', 'ECONNRESET', 'EPIPE', 'ETIMEDOUT', 'ENOTFOUND', 'EAI_AGAIN']);
// Prisma: unreachable, timed out, pool exhausted, connection closed, no transaction in time.
const PRISMA = new Set(['P1001', 'P1002', 'P1008', 'P1017', 'P2024', 'P2028', 'P2037']);
// What pg reports without a code, when a connection ends during a query or none is free in time.
const PG_MESSAGES =
  /^(Connection terminated|timeout exceeded when trying to connect|Client has encountered a connection error|Query read timeout)/;

/** Whether an error means that the database is away or full: the same call can succeed later. */
export function isStoreUnavailable(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  const { code } = error as { code?: unknown };
  if (typeof code === 'string' && (SQLSTATE.test(code) || SYSTEM.has(code) || PRISMA.has(code))) return true;
  return PG_MESSAGES.test(error.message) || isStoreUnavailable(error.cause);
}

/** Whether a query timed out without an answer: its connection is unusable. */
export function isUnanswered(error: unknown): boolean {
  return error instanceof Error && (error.message === 'Query read timeout' || isUnanswered(error.cause));
}
