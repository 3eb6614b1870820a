import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import type { Env } from '@indbakke/shared/config';
import { isStoreUnavailable } from '@indbakke/shared/store';
import pg from 'pg';
import { prepareDatabase } from '../../local/database.js';
import type { StatePaths } from '../../local/state.js';
import { type OwnPostgres, startOwnPostgres } from '../../testkit/own-state.js';
import { CASEWORKER_ROLES, issueToken, prepareState } from '../../testkit/set-up.js';
import { killPostgres, restartPostgres } from './kill-postgres.js';

const ROLES = [...CASEWORKER_ROLES, 'Indbakke.Opsætning'];
const TOKEN_HOURS = 12;
const DATABASE_BACK_WITHIN_MS = 30_000;

/** Runs `work` with a new PostgreSQL, durable as in production, which is removed at the end. */
export async function withPostgres<T>(work: (postgres: OwnPostgres) => Promise<T>): Promise<T> {
  const postgres = await startOwnPostgres();
  try {
    return await work(postgres);
  } finally {
    await postgres.stop();
  }
}

// About half of the MeMos here have less.
const SMALL_CONTENT_BYTES = 2_000;

/** The database, content folder and settings of a series of runs. */
export class Stage {
  readonly env: Env;
  readonly contentFolder: string;
  readonly token: string;
  readonly #postgres: OwnPostgres;
  readonly #logFile: string;
  readonly #pool: pg.Pool;

  private constructor(postgres: OwnPostgres, paths: StatePaths, env: Env, ownerUrl: string, token: string) {
    this.env = env;
    this.contentFolder = paths.content;
    this.token = token;
    this.#postgres = postgres;
    this.#logFile = join(paths.root, 'postgres-restart.log');
    this.#pool = new pg.Pool({ connectionString: ownerUrl, max: 4, connectionTimeoutMillis: 5_000 });
    this.#pool.on('error', () => {}); // PostgreSQL gets killed
    this.#pool.on('connect', (connection) => connection.on('error', () => {}));
  }

  static async open(postgres: OwnPostgres, name: string): Promise<Stage> {
    const paths = { ...postgres.paths, content: join(postgres.paths.root, `content-${name}`) };
    const database = await prepareDatabase(postgres.url, name);
    const env = {
      ...(await prepareState(paths, database)),
      LOG_LEVEL: 'silent',
      SMALL_CONTENT_BYTES: String(SMALL_CONTENT_BYTES),
    };
    const token = await issueToken(paths, { roles: ROLES, hours: TOKEN_HOURS });
    return new Stage(postgres, paths, env, database.ownerUrl, token);
  }

  systemToken(): Promise<string> {
    return issueToken(this.#postgres.paths, { user: 'dubu', system: true });
  }

  /** A query as the owner, past row-level security; waits while the database is down. */
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
