import { readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { makeFolders } from '@indbakke/shared/content';
import { markIsAlive, newMark, removePostgres } from '../../../tools/local-state.mjs';
import { type LocalPostgres, startPostgres } from '../local/postgres/postgres.js';
import { type StatePaths, statePaths } from '../local/state.js';

/**
 * Runs `work` with a new state folder in `<STATE_DIR>/test`, which is removed at the end with its PostgreSQL. Leftovers of
 * killed processes are stopped and removed first.
 */
export async function withOwnState<T>(work: (paths: StatePaths) => Promise<T>): Promise<T> {
  const paths = await createState();
  try {
    return await work(paths);
  } finally {
    await removeState(paths.root);
  }
}

export interface OwnPostgres extends LocalPostgres {
  /** Its state folder, which `stop()` removes. */
  readonly paths: StatePaths;
}

/** Fast, because a power failure may lose data; and a scrub has no kept segments to fill. */
export const NOT_DURABLE = { fsync: 'off', synchronous_commit: 'off', full_page_writes: 'off', wal_recycle: 'off' };

/** A PostgreSQL in a new state folder, durable as in production unless `settings` say otherwise. */
export async function startOwnPostgres(settings: Readonly<Record<string, string>> = {}): Promise<OwnPostgres> {
  const paths = await createState();
  try {
    const postgres = await startPostgres({ stateDir: paths.root, settings });
    const stop = async () => {
      await postgres.stop();
      await removeState(paths.root);
    };
    return { ...postgres, paths, stop };
  } catch (error) {
    await removeState(paths.root);
    throw error;
  }
}

async function createState(): Promise<StatePaths> {
  const folder = statePaths().test;
  await makeFolders(folder);
  for (const mark of readdirSync(folder).filter((name) => !markIsAlive(name))) {
    // Another process may be removing it, or it belongs to another user; leftovers are removed next time.
    await removeState(join(folder, mark)).catch(() => {});
  }
  return statePaths({ STATE_DIR: join(folder, newMark()) });
}

async function removeState(root: string): Promise<void> {
  await removePostgres(root);
  rmSync(root, { recursive: true, force: true, maxRetries: 3 });
}
