import { prepareDatabase } from '../src/local/database.js';
import { NOT_DURABLE, startOwnPostgres } from '../src/testkit/own-state.js';

/** One PostgreSQL for the whole run, with a migrated template database that every test database is cloned from. */
export default async function setup(): Promise<() => Promise<void>> {
  const postgres = await startOwnPostgres(NOT_DURABLE);
  const { url } = await prepareDatabase(postgres.url, 'template');
  process.env.TEST_SUPERUSER_URL = postgres.url;
  process.env.TEST_SERVICE_URL = url;
  return () => postgres.stop();
}
