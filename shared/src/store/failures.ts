// SQLSTATE classes: 08 connection, 53 out of resources (connections, disk), 57P admin shutdown and restart; 40001 and 40P01
// serialization failure and deadlock, which succeed on retry. Faults of set-up, which end when they are mended: 28 login,
// 3D no such database, 25006 read-only; 42501, 42703, 42883 and 42P01 no privilege, column, function or table.
const SQLSTATE = /^(08|28|3D|53|57P|25006|40001|40P01|42501|42703|42883|42P01)/;
const SYSTEM = new Set(['ECONNREFUSED', 'ECONNRESET', 'EPIPE', 'ETIMEDOUT', 'ENOTFOUND', 'EAI_AGAIN']);
// Prisma: unreachable, timed out, pool exhausted, connection closed, no transaction in time; login, database, access, TLS,
// table, column.
const PRISMA = new Set('P1001 P1002 P1008 P1017 P2024 P2028 P2037 P1000 P1003 P1010 P1011 P2021 P2022'.split(' '));
// What pg reports without a code, when a connection ends during a query or none is free in time.
const PG_MESSAGES =
  /^(Connection terminated|timeout exceeded when trying to connect|Client has encountered a connection error|Query read timeout)/;

/** Whether an error means that the database is away or full: the same call can succeed later. */
export function isStoreUnavailable(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  const { code, meta } = error as {
    code?: unknown;
    meta?: { driverAdapterError?: { cause?: { originalCode?: string } } };
  };
  if (typeof code === 'string' && (SQLSTATE.test(code) || SYSTEM.has(code) || PRISMA.has(code))) return true;
  // Of a raw statement through Prisma.
  if (SQLSTATE.test(meta?.driverAdapterError?.cause?.originalCode ?? '')) return true;
  return PG_MESSAGES.test(error.message) || isStoreUnavailable(error.cause);
}

/** Whether a query timed out without an answer: its connection is unusable. */
export function isUnanswered(error: unknown): boolean {
  return error instanceof Error && (error.message === 'Query read timeout' || isUnanswered(error.cause));
}
