import { isAway } from '../postgres/reasons.js';

/** The database did not do it: it is away, full or too slow. The same call can succeed later. */
export class StoreUnavailable extends Error {
  override readonly name: string = 'StoreUnavailable';
  /** The cause’s, if it has one: an SQLSTATE or a system error. */
  readonly code: unknown;

  constructor(message: string, options: { cause?: unknown } = {}) {
    super(message, options);
    this.code = (options.cause as { code?: unknown } | undefined)?.code;
  }
}

/** COMMIT was sent but not answered: whether the rows are committed is unknown. */
export class CommitInDoubt extends StoreUnavailable {
  override readonly name = 'CommitInDoubt';
}

/** The statement was not sent: its transaction is over or out of time, or its connection has stopped answering. */
export class StatementRefused extends StoreUnavailable {
  override readonly name = 'StatementRefused';
}

// SQLSTATE classes: 08 connection, 53 out of resources (connections, disk), 57P admin shutdown and restart; 57014 statement
// timeout, 25P03 idle in transaction; 40001 and 40P01 serialization failure and deadlock, which succeed on retry. Faults of
// set-up, which end when they are mended: 28 login, 3D no such database, 25006 read-only; 42501, 42703, 42883 and 42P01 no
// privilege, column, function or table.
const SQLSTATE = /^(08|28|3D|53|57P|57014|25P03|25006|40001|40P01|42501|42703|42883|42P01)/;
// Prisma: unreachable, timed out, pool exhausted, connection closed, no transaction in time; login, database, access, TLS,
// table, column.
const PRISMA = new Set('P1001 P1002 P1008 P1017 P2024 P2028 P2037 P1000 P1003 P1010 P1011 P2021 P2022'.split(' '));

/** Whether an error means that the database is away, full or too slow: the same call can succeed later. */
export function isStoreUnavailable(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  if (error instanceof StoreUnavailable || isAway(error)) return true;
  const { code, meta } = error as {
    code?: unknown;
    meta?: { driverAdapterError?: { cause?: { originalCode?: string } } };
  };
  if (typeof code === 'string' && (SQLSTATE.test(code) || PRISMA.has(code))) return true;
  // Of a raw statement through Prisma.
  if (SQLSTATE.test(meta?.driverAdapterError?.cause?.originalCode ?? '')) return true;
  return isStoreUnavailable(error.cause);
}

/** Whether a COMMIT that failed may have been done all the same. */
export function isInDoubt(error: unknown): boolean {
  const { severity, message } = error as { severity?: string; message: string };
  // pg, before it sends anything: "Client has encountered a connection error and is not queryable"
  if (message.endsWith('is not queryable')) return false;
  // PostgreSQL 18, errors and messages: an ERROR aborts the transaction; a FATAL one ends the connection, at any time.
  return severity !== 'ERROR';
}
