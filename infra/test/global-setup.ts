import type { TestProject } from 'vitest/node';
import { prepareDatabase } from '../src/local/database.js';
import { startTestPostgres } from '../src/local/postgres.js';

declare module 'vitest' {
  interface ProvidedContext {
    /** Superuser of the PostgreSQL of this test run. */
    superuserUrl: string;
    /** The login of the services, on the template. */
    serviceUrl: string;
  }
}

/** One PostgreSQL for the whole run, with a migrated database that each test file gets a copy of. */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const postgres = await startTestPostgres();
  const { url } = await prepareDatabase(postgres.url, 'template');
  project.provide('superuserUrl', postgres.url);
  project.provide('serviceUrl', url);
  return () => postgres.stop();
}
