import { randomBytes } from 'node:crypto';
import { migrateQueues } from '@indbakke/shared/queue';
import { migrate } from '@indbakke/shared/store';
import pg from 'pg';

export interface Database {
  /** The login of the services: a member of the roles, with no rights of its own. */
  readonly url: string;
  /** The login that migrates and sets up. */
  readonly ownerUrl: string;
}

const SERVICE_LOGIN = 'indbakke_service';

/**
 * Makes the database `name` on this server when it is missing, brings it up to date, and gives the services a login with a
 * fresh password.
 */
export async function prepareDatabase(superuserUrl: string, name: string): Promise<Database> {
  await createDatabase(superuserUrl, name);
  const ownerUrl = withDatabase(superuserUrl, name);
  await migrate(ownerUrl);
  await migrateQueues(ownerUrl);
  return { url: await createServiceLogin(ownerUrl), ownerUrl };
}

/** The same connection address with another database. */
export function withDatabase(url: string, name: string): string {
  const changed = new URL(url);
  changed.pathname = `/${name}`;
  return changed.href;
}

async function createDatabase(superuserUrl: string, name: string): Promise<void> {
  await withClient(superuserUrl, async (client) => {
    const { rowCount } = await client.query('SELECT FROM pg_database WHERE datname = $1', [name]);
    if (rowCount === 0) await client.query(`CREATE DATABASE ${pg.escapeIdentifier(name)}`);
  });
}

/** A password that lasts as long as the process: nothing to keep, nothing to leak. */
export async function createServiceLogin(ownerUrl: string): Promise<string> {
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
