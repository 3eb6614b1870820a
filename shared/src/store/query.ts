import { createHash } from 'node:crypto';
import pg from 'pg';
import type { Prisma } from '../generated/client.js';
import { preparedOn } from './fence.js';
import { currentLimits } from './limits.js';

/**
 * How a statement is planned. `kept`: once per connection, for what has one plan whatever its values, such as look-ups by
 * key. `fresh`: each time, for filters, where the best index depends on the values; that takes longer than most run.
 */
export type Plan = 'kept' | 'fresh';

// PostgreSQL 18, appendix A: invalid_sql_statement_name, duplicate_prepared_statement.
const NOT_PREPARED = '26000';
const PREPARED_BEFORE = '42P05';

/**
 * Runs one statement for a municipality in one round trip. PostgreSQL runs the statements of one simple query in order and in
 * one transaction (protocol 3.0, 54.2.2.1), so the policies see the municipality when the second one begins, and it is gone
 * afterwards. Several statements take no parameters, so values are written as literals.
 */
export async function queryAs<Row extends pg.QueryResultRow>(
  connection: Connection,
  municipality: string,
  statement: Prisma.Sql,
  plan: Plan,
): Promise<Row[]> {
  const runAll = async (...statements: string[]) => {
    const results = (await connection.query(statements.join('; '))) as unknown as pg.QueryResult<Row>[];
    return results.at(-1)?.rows ?? [];
  };
  const bind = bindTo(municipality);
  if (plan === 'fresh') return runAll(bind, withLiterals(statement));

  const { text } = statement;
  const name = nameOf(text);
  const bindAndKeep = `${bind}, set_config('plan_cache_mode', 'force_generic_plan', true)`;
  const values = statement.values.map(literal).join(', ');
  const execute = `EXECUTE ${name}${values && ` (${values})`}`;
  // Known here, not found out by trying: PostgreSQL logs a statement that fails, with its values.
  const prepared = preparedOn(connection);
  const isNew = !prepared.has(name);
  prepared.add(name);
  const withPrepare = [`PREPARE ${name} AS ${text}`, execute];
  try {
    return await runAll(bindAndKeep, ...(isNew ? withPrepare : [execute]));
  } catch (error) {
    // A pooler has given the connection another session, so nothing has been done.
    if ((error as { code?: unknown }).code !== (isNew ? PREPARED_BEFORE : NOT_PREPARED)) throw error;
    return runAll(bindAndKeep, ...(isNew ? [execute] : withPrepare));
  }
}

/**
 * The statement with which each transaction begins: what follows has the privileges of indbakke_app, and sees this
 * municipality only, within the limits of what runs now. The role is not the connection’s: behind a pooler in transaction mode that
 * would soon be another one’s.
 */
export function bindTo(municipality: string): string {
  const name = literal(municipality);
  const limits = currentLimits();
  // In this order: the function reads the contact points that the settings before it let it see.
  const points = `contact_points_within(${name}, ${literal(limits)}::jsonb)`;
  const settings = [
    `set_config('role', 'indbakke_app', true)`,
    `set_config('indbakke.municipality', ${name}, true)`,
    ...(limits === undefined ? [] : [`set_config('indbakke.limits', ${between(points)}, true)`]),
  ];
  return `SELECT ${settings.join(', ')}`;
}

/** An array as a text in which each of its elements stands between line ends, as the policies look for it. */
const between = (array: string) => String.raw`E'\n' || array_to_string(${array}, E'\n') || E'\n'`;

/** A connection with an open transaction for one municipality. */
export type Connection = pg.PoolClient;

/**
 * Does a part of a transaction as another municipality, whose rows it sees instead: for what two municipalities do together, such
 * as a handover, of which both have all or nothing. The limits of the caller are about contact points of its own municipality.
 */
export async function asMunicipality<T>(
  connection: Connection,
  municipality: string,
  work: () => Promise<T>,
): Promise<T> {
  const settings = ['indbakke.municipality', 'indbakke.limits'] as const;
  const bind = (values: readonly (string | null)[]) =>
    connection.query(`SELECT ${settings.map((name, at) => `set_config('${name}', $${at + 1}, true)`)}`, [...values]);
  const { rows } = await connection.query<{ now: (string | null)[] }>(
    `SELECT ARRAY[${settings.map((name) => `current_setting('${name}', true)`)}] AS now`,
  );
  await bind([municipality, null]);
  const result = await work(); // after an error the transaction does nothing more, so it need not be bound again
  await bind(rows[0]?.now ?? []);
  return result;
}

/** Runs a statement of a longer transaction; it is prepared once per connection. */
export async function run<Row extends object>(connection: Connection, statement: Prisma.Sql): Promise<Row[]> {
  const { text, values } = statement;
  // pg prepares it under a name of its own, since PREPARE and it do not know of each other.
  const { rows } = await connection.query<Row>({ name: `run_${nameOf(text)}`, text, values });
  return rows;
}

/** The names of kept statements by their text. There are some dozens: for each look-up or change one a kind of caller. */
const names = new Map<string, string>();

/** A hash of the text, so that a name never means two statements, whoever prepared it on a connection. */
function nameOf(text: string): string {
  const known = names.get(text);
  if (known !== undefined) return known;
  const name = `kept_${createHash('sha256').update(text).digest('hex').slice(0, 32)}`;
  names.set(text, name);
  return name;
}

function withLiterals({ strings, values }: Prisma.Sql): string {
  return strings.map((part, at) => (at === 0 ? part : literal(values[at - 1]) + part)).join('');
}

/** A value as an SQL literal without a type, as a parameter is. */
function literal(value: unknown): string {
  if (value === null || value === undefined) return 'NULL';
  if (value instanceof Date) return `'${value.toISOString()}'`;
  if (Array.isArray(value)) return literal(`{${value.map(quoted).join(',')}}`);
  if (typeof value === 'object') throw new TypeError('A value of a statement must be a text, number, time or array.');
  const text = String(value);
  if (text.includes('\0')) throw new TypeError('PostgreSQL has no NUL.'); // it would end the statement
  return pg.escapeLiteral(text);
}

/** An element of an array (PostgreSQL 18, 8.15.2). */
function quoted(element: unknown): string {
  return `"${String(element).replace(/["\\]/g, '\\$&')}"`;
}

/**
 * Makes COMMIT wait for the standbys even when nothing is written: what was read, and is answered again, may be of a COMMIT that has
 * not reached them (docs/postgresql.md).
 */
export async function waitForStandbys(connection: Connection): Promise<void> {
  // PostgreSQL 18, 9.28.6: written to the log in the transaction, whatever wal_level is.
  await connection.query(`SELECT pg_logical_emit_message(true, 'indbakke', '')`);
}
