import { existsSync } from 'node:fs';
import type { Env } from '@indbakke/shared/config';
import { clusterOf, postgresHomeOf } from '../../../tools/local-state.mjs';
import { withDatabase } from './database.js';
import { startPostgres } from './postgres/postgres.js';
import { LOCAL_DATABASE, localSettings } from './settings.js';
import { statePaths } from './state.js';

const NO_DATABASE =
  'There is no database here yet. Run npm start once to create one, or name another one with DATABASE_OWNER_URL.';
const NO_SUCH_DATABASE = '3D000';
const NO_SUCH_TABLE = '42P01';

/** The settings of the local stack, with those of `env`, without DATABASE_URL. */
export const settings = (env: Env): Env => localSettings(statePaths(env), env);

/** Runs `work` with the owner’s URL of the local stack’s database, which runs or is started for it. */
export async function withItsOwnerUrl<T>(work: (ownerUrl: string) => Promise<T>): Promise<T> {
  const { root } = statePaths();
  if (!existsSync(clusterOf(postgresHomeOf(root)).cluster)) throw new Error(NO_DATABASE);
  const postgres = await startPostgres({ stateDir: root });
  try {
    return await work(withDatabase(postgres.url, LOCAL_DATABASE));
  } catch (error) {
    // The first npm start was interrupted.
    const { code } = error as NodeJS.ErrnoException;
    throw code === NO_SUCH_DATABASE || code === NO_SUCH_TABLE ? new Error(NO_DATABASE) : error;
  } finally {
    await postgres.stop();
  }
}
