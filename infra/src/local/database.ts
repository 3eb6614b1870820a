import { randomBytes } from 'node:crypto';
import { migrateQueues } from '@indbakke/shared/queue';
import { migrate } from '@indbakke/shared/store';
import pg from 'pg';

export interface Database {
  /** The login of the services: a member of the roles, with no rights of its own. */
  readonly url: string;
  /** The login that owns the tables: for migrations and set-up. */
  readonly ownerUrl: string;
}

const SERVICE_LOGIN = 'indbakke_service';

/**
 * Creates the database `name` on this server if it is missing, migrates it, and gives the services a login with a new
 * password.
 */
export async function prepareDatabase(
  superuserUrl: string,
  name: string,
  migrateIt: (ownerUrl: string) => Promise<unknown> = migrateDatabase,
): Promise<Database> {
  await createDatabase(superuserUrl, name);
  const ownerUrl = withDatabase(superuserUrl, name);
  await migrateIt(ownerUrl);
  return { url: await createServiceLogin(ownerUrl), ownerUrl };
}

/** Migrates tables and queues. Standard error tells what it waits for. @returns the migrations of tables that were applied */
export async function migrateDatabase(ownerUrl: string): Promise<string[]> {
  const report = (line: string) => process.stderr.write(`${line}\n`);
  const applied = await migrate(ownerUrl, report);
  await migrateQueues(ownerUrl, report);
  return applied;
}

/** The same connection URL with another database. */
export function withDatabase(url: string, name: string): string {
  const changed = new URL(url);
  changed.pathname = `/${name}`;
  return changed.href;
}

/**
 * Checks that the database in a setting is reachable and accepts the login.
 *
 * @param role the login must be a member of it, and it must see the tables
 * @throws Error whose message begins with the setting and contains no password
 */
export async function checkDatabase(setting: string, url: string, role?: string): Promise<void> {
  if (!/^postgres(ql)?:\/\//.test(url) || !URL.canParse(url)) {
    throw new Error(
      `${setting}: must be a URL that begins with postgres:// (postgres://user:password@host:5432/name).`,
    );
  }
  const { host, pathname } = new URL(url);
  const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: CONNECT_MS });
  client.on('error', () => {}); // the server may go away in between; the query then fails
  try {
    await client.connect();
    await client.query(role === undefined ? 'SELECT 1' : `SET ROLE ${role}; SELECT FROM municipalities LIMIT 0`);
  } catch (error) {
    const { code = '', message } = error as NodeJS.ErrnoException;
    const where = `${setting}: the database ${pathname.slice(1)} at ${host || 'the local socket'}`;
    if (NOT_SET_UP.has(code)) throw new Error(`${where} is not set up (${message}). First run npm run migrate.`);
    throw new Error(`${where} is unreachable (${message || code}). Is it running, and is the URL right?`, {
      cause: error,
    });
  } finally {
    await client.end().catch(() => {});
  }
}

const CONNECT_MS = 10_000;
// PostgreSQL 18, appendix A: invalid_parameter_value, the answer for an unknown role; undefined_table.
const NOT_SET_UP = new Set(['22023', '42P01']);

async function createDatabase(superuserUrl: string, name: string): Promise<void> {
  await withClient(superuserUrl, async (client) => {
    const { rowCount } = await client.query('SELECT FROM pg_database WHERE datname = $1', [name]);
    if (rowCount === 0) await client.query(`CREATE DATABASE ${pg.escapeIdentifier(name)}`);
  });
}

/** The password is new in every process: nothing to store, nothing to leak. */
async function createServiceLogin(ownerUrl: string): Promise<string> {
  const password = randomBytes(24).toString('hex');
  await withClient(ownerUrl, async (client) => {
    const { rowCount } = await client.query('SELECT FROM pg_roles WHERE rolname = $1', [SERVICE_LOGIN]);
    if (rowCount === 0) await client.query(`CREATE ROLE ${SERVICE_LOGIN} LOGIN NOINHERIT`);
    await client.query(`ALTER ROLE ${SERVICE_LOGIN} PASSWORD '${password}'`);
    await client.query(`GRANT indbakke_app, indbakke_worker, indbakke_queue TO ${SERVICE_LOGIN}`);
  });
  const url = new URL(ownerUrl);
  url.username = SERVICE_LOGIN;
  url.password = password;
  return url.href;
}

async function withClient<T>(url: string, work: (client: pg.Client) => Promise<T>): Promise<T> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    return await work(client);
  } finally {
    await client.end();
  }
}
