import pg from 'pg';
import type { Prisma } from '../generated/client.js';

/**
 * How a statement is planned. `kept`: once per connection, for look-ups by key, which have one plan whatever the values.
 * `fresh`: each time, with these values, for a list, where the best index depends on them; that takes some 0.4 ms.
 */
export type Plan = 'kept' | 'fresh';

const INVALID_STATEMENT_NAME = '26000';

/**
 * Runs one statement for a municipality in one round trip. PostgreSQL runs the statements of one simple query in order and in
 * one transaction (protocol 3.0, 54.2.2.1), so the policies see the municipality when the second one begins, and it is gone
 * afterwards. Several statements take no parameters, so values are written as literals.
 */
export async function queryAs<Row extends pg.QueryResultRow>(
  connection: pg.PoolClient,
  municipality: string,
  statement: Prisma.Sql,
  plan: Plan,
): Promise<Row[]> {
  const run = async (text: string) => {
    const bound = `SELECT set_config('indbakke.municipality', ${literal(municipality)}, true); ${text}`;
    const results = (await connection.query(bound)) as unknown as pg.QueryResult<Row>[];
    return results.at(-1)?.rows ?? [];
  };
  if (plan === 'fresh') return run(withLiterals(statement));
  const { text } = statement;
  const name = nameOf(text);
  const execute = `EXECUTE ${name} (${statement.values.map(literal).join(', ')})`;
  try {
    return await run(execute);
  } catch (error) {
    // This connection has not prepared it yet, so nothing has been done.
    if ((error as { code?: unknown }).code !== INVALID_STATEMENT_NAME) throw error;
    return run(`PREPARE ${name} AS ${text}; ${execute}`);
  }
}

/** A name for each text of a kept statement. There are some dozens, one for each look-up and each kind of caller. */
const names = new Map<string, string>();

function nameOf(text: string): string {
  const name = names.get(text) ?? `kept_${names.size}`;
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
  if (Array.isArray(value)) return pg.escapeLiteral(`{${value.map(quoted).join(',')}}`);
  if (typeof value === 'object') throw new TypeError('A value of a statement must be a text, number, time or array.');
  return pg.escapeLiteral(String(value));
}

/** An element of an array (PostgreSQL 18, 8.15.2). */
function quoted(element: unknown): string {
  return `"${String(element).replace(/["\\]/g, '\\$&')}"`;
}
