import { prepareDatabase } from '../src/local/database.js';
import { startTestPostgres } from '../src/local/postgres.js';

/** One PostgreSQL for the whole run, with a migrated database that each test file gets a copy of. */
export default async function setup(): Promise<() => Promise<void>> {
  const postgres = await startTestPostgres();
  const { url } = await prepareDatabase(postgres.url, 'template');
  process.env.TEST_SUPERUSER_URL = postgres.url;
  process.env.TEST_SERVICE_URL = url;
  return () => postgres.stop();
}
