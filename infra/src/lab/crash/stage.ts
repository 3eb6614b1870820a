import { mkdirSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import type { Env } from '@indbakke/shared/config';
import { isStoreUnavailable } from '@indbakke/shared/store';
import pg from 'pg';
import { markIsAlive, newMark, removePostgres } from '../../../../tools/local-state.mjs';
import { prepareDatabase } from '../../local/database.js';
import { EXAMPLE_MUNICIPALITY } from '../../local/example-municipality.js';
import { issueLocalToken } from '../../local/issuer.js';
import { type LocalPostgres, startPostgres } from '../../local/postgres.js';
import { registerMunicipality } from '../../local/register-municipality.js';
import { issuerKeyOf, localSettings, makeKeys } from '../../local/settings.js';
import { type StatePaths, statePaths } from '../../local/state.js';
import { killPostgres, restartPostgres } from './kill-postgres.js';

const ROLES = [
  'IndkomneDokumenter.Læs',
  'IndkomneDokumenter.SeAlle',
  'IndkomneDokumenter.Journaliser',
  'IndkomneDokumenter.Afvis',
  'DigitalPost.Slet',
  'Indbakke.Opsætning',
];
const TOKEN_HOURS = 12;
const DATABASE_BACK_WITHIN_MS = 30_000;

/** One PostgreSQL, as safe against a power cut as in production, in a folder of its own that is gone at the end. */
export async function withPostgres<T>(work: (postgres: LocalPostgres, paths: StatePaths) => Promise<T>): Promise<T> {
  const folder = statePaths().test;
  mkdirSync(folder, { recursive: true });
  for (const mark of readdirSync(folder).filter((name) => !markIsAlive(name))) {
    // Another process may be removing the same one now; what stays is swept the next time.
    await removeState(join(folder, mark)).catch(() => {});
  }
  const paths = statePaths({ STATE_DIR: join(folder, newMark()) });
  try {
    const postgres = await startPostgres({ stateDir: paths.root });
    try {
      return await work(postgres, paths);
    } finally {
      await postgres.stop();
    }
  } finally {
    await removeState(paths.root);
  }
}

async function removeState(root: string): Promise<void> {
  await removePostgres(root);
  rmSync(root, { recursive: true, force: true, maxRetries: 3 });
}

// About half of the letters that are written here have less.
const SMALL_CONTENT_BYTES = 2_000;

/** What one series of runs plays on: a database and a content folder of their own, and the keys to them. */
export class Stage {
  readonly env: Env;
  readonly contentFolder: string;
  readonly token: string;
  readonly #postgres: LocalPostgres;
  readonly #logFile: string;
  readonly #pool: pg.Pool;

  private constructor(postgres: LocalPostgres, paths: StatePaths, env: Env, ownerUrl: string, token: string) {
    this.env = env;
    this.contentFolder = paths.content;
    this.token = token;
    this.#postgres = postgres;
    this.#logFile = join(paths.root, 'postgres-again.log');
    this.#pool = new pg.Pool({ connectionString: ownerUrl, max: 4, connectionTimeoutMillis: 5_000 });
    this.#pool.on('error', () => {}); // PostgreSQL is killed under it
    this.#pool.on('connect', (connection) => connection.on('error', () => {}));
  }

  static async open(postgres: LocalPostgres, root: StatePaths, name: string): Promise<Stage> {
    const paths = { ...root, content: join(root.root, `content-${name}`) };
    await makeKeys(paths);
    const database = await prepareDatabase(postgres.url, name);
    await registerMunicipality(database.ownerUrl, EXAMPLE_MUNICIPALITY);
    const env = {
      ...localSettings(paths),
      DATABASE_URL: database.url,
      LOG_LEVEL: 'silent',
      PORT: '0',
      SMALL_CONTENT_BYTES: String(SMALL_CONTENT_BYTES),
    };
    const token = await issueLocalToken(issuerKeyOf(paths), {
      municipality: EXAMPLE_MUNICIPALITY.cvr,
      user: 'sagsbehandler-1',
      roles: [...ROLES],
      hours: TOKEN_HOURS,
    });
    return new Stage(postgres, paths, env, database.ownerUrl, token);
  }

  /** A token of the core. */
  systemToken(paths: StatePaths): Promise<string> {
    return issueLocalToken(issuerKeyOf(paths), {
      municipality: EXAMPLE_MUNICIPALITY.cvr,
      user: 'dubu',
      roles: ['Indbakke.System'],
      system: true,
    });
  }

  /** As the owner, past row-level security; waits for a database that is away. */
  async sql<Row extends pg.QueryResultRow>(text: string, values: unknown[] = []): Promise<Row[]> {
    for (const limit = performance.now() + DATABASE_BACK_WITHIN_MS; ; await pause(20)) {
      try {
        return (await this.#pool.query<Row>(text, values)).rows;
      } catch (error) {
        if (!isStoreUnavailable(error) || performance.now() > limit) throw error;
      }
    }
  }

  killPostgres(): Promise<void> {
    return killPostgres(this.#postgres.dataDir);
  }

  restartPostgres(): Promise<void> {
    return restartPostgres(this.#postgres.dataDir, this.#logFile);
  }

  async close(): Promise<void> {
    await this.#pool.end();
  }
}
