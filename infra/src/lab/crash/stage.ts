import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { verifyAuditLog } from '@indbakke/shared/audit';
import type { Env } from '@indbakke/shared/config';
import { type ContentPlace, openBlobStore } from '@indbakke/shared/content';
import { loadKeyRing } from '@indbakke/shared/keys';
import { isStoreUnavailable } from '@indbakke/shared/store';
import pg from 'pg';
import { serverOf } from '../../../../tools/local-state.mjs';
import { migrateDatabase, prepareDatabase } from '../../local/database.js';
import { type MunicipalityRegistration, registerMunicipality } from '../../local/register-municipality.js';
import type { StatePaths } from '../../local/state.js';
import { killPostgres, restartPostgres } from '../../testkit/kill-postgres.js';
import { type OwnPostgres, startOwnPostgres } from '../../testkit/own-state.js';
import { CASEWORKER_ROLES, issueOperatorsToken, issueToken, prepareState } from '../../testkit/set-up.js';
import type { OwnSwift } from '../../testkit/swift.js';
import type { Random } from '../random.js';
import { FarEnd } from './far-end.js';
import { VICTIM } from './victims.js';
import { MUNICIPALITIES } from './write-memos.js';

const ROLES = [...CASEWORKER_ROLES, 'Indbakke.Opsætning', 'Indbakke.Aktindsigt', 'Revisionslog.Læs'];
const TOKEN_HOURS = 12;
const DATABASE_BACK_WITHIN_MS = 30_000;

/** The server that the database of a stage is on. */
export type StagePostgres = Pick<OwnPostgres, 'url' | 'paths' | 'dataDir'>;

/** How the database of a stage is made ready. */
export interface SetUp {
  migrate(ownerUrl: string): Promise<unknown>;
  /** Sets the municipalities up. */
  register(ownerUrl: string, registrations: readonly MunicipalityRegistration[]): Promise<void>;
}

interface StageOptions {
  readonly setUp?: SetUp;
  /** Where content is; in a folder when absent. */
  readonly swift?: OwnSwift | undefined;
  /** CVR numbers. */
  readonly municipalities?: readonly string[];
  /** CLAMD_URL; nothing is scanned when absent. */
  readonly clamdUrl?: string | undefined;
}

const BY_THIS_VERSION: SetUp = {
  migrate: migrateDatabase,
  async register(ownerUrl, registrations) {
    for (const registration of registrations) await registerMunicipality(ownerUrl, registration);
  },
};

/** Runs `work` with a new PostgreSQL, durable as in production, which is removed at the end. */
export async function withPostgres<T>(work: (postgres: OwnPostgres) => Promise<T>): Promise<T> {
  const postgres = await startOwnPostgres();
  try {
    return await work(postgres);
  } finally {
    await postgres.stop();
  }
}

const MOST = 0.8;
const BUSY_WITHIN_MS = 2_000;
const OLD_MONTHS = 14;

// About half of the MeMos here have less.
const SMALL_CONTENT_BYTES = 2_000;

/** The database, content store and settings of a series of runs. */
export class Stage {
  readonly env: Env;
  /** Of the login that migrates. */
  readonly ownerUrl: string;
  readonly blobs: ContentPlace;
  /** For what a run keeps in files of its own. */
  readonly folder: string;
  readonly municipalities: readonly string[];
  /** A caseworker’s token of each municipality. */
  readonly tokens: ReadonlyMap<string, string>;
  /** That of another, who confirms deletions. */
  readonly secondTokens: ReadonlyMap<string, string>;
  /** Fordelingskomponenten, in this process. */
  readonly farEnd: FarEnd;
  readonly #postgres: StagePostgres;
  readonly #logFile: string;
  readonly #pool: pg.Pool;

  private constructor(
    postgres: StagePostgres,
    paths: StatePaths,
    env: Env,
    blobs: ContentPlace,
    ownerUrl: string,
    tokens: ReadonlyMap<string, string>,
    secondTokens: ReadonlyMap<string, string>,
    farEnd: FarEnd,
  ) {
    this.farEnd = farEnd;
    this.env = env;
    this.ownerUrl = ownerUrl;
    this.blobs = blobs;
    this.folder = paths.root;
    this.municipalities = [...tokens.keys()];
    this.tokens = tokens;
    this.secondTokens = secondTokens;
    this.#postgres = postgres;
    this.#logFile = join(paths.root, 'postgres-restart.log');
    this.#pool = new pg.Pool({ connectionString: ownerUrl, max: 4, connectionTimeoutMillis: 5_000 });
    this.#pool.on('error', () => {}); // PostgreSQL gets killed
    this.#pool.on('connect', (connection) => connection.on('error', () => {}));
  }

  static async open(postgres: StagePostgres, name: string, options: StageOptions = {}): Promise<Stage> {
    const { setUp = BY_THIS_VERSION, swift, municipalities = MUNICIPALITIES, clamdUrl } = options;
    const paths = { ...postgres.paths, content: join(postgres.paths.root, `content-${name}`) };
    const database = await prepareDatabase(postgres.url, name, setUp.migrate);
    await setUp.register(
      database.ownerUrl,
      municipalities.map((cvr) => ({ cvr, name: `Kommune ${cvr}`, contactPoints: [] })),
    );
    const farEnd = await FarEnd.open(paths.root);
    const env = {
      ...(await prepareState(paths, database, [])),
      ...farEnd.settings,
      ...(swift && { ...swift.settings, BLOB_URL: `${swift.bucketUrl}/${name}` }),
      ...(clamdUrl && { CLAMD_URL: clamdUrl }),
      LOG_LEVEL: 'silent',
      SMALL_CONTENT_BYTES: String(SMALL_CONTENT_BYTES),
    };
    const [tokens, secondTokens] = [new Map<string, string>(), new Map<string, string>()];
    for (const municipality of municipalities) {
      const caseworker = { municipality, roles: ROLES, hours: TOKEN_HOURS };
      tokens.set(municipality, await issueToken(paths, caseworker));
      secondTokens.set(municipality, await issueToken(paths, { ...caseworker, user: 'caseworker-2' }));
    }
    const blobs = await openBlobStore(env.BLOB_URL ?? '', env);
    return new Stage(postgres, paths, env, blobs, database.ownerUrl, tokens, secondTokens, farEnd);
  }

  /** Of a user who saves extracts and asks for access packages; one for each run, since a user has few. */
  ownerToken(municipality: string, run: number): Promise<string> {
    return issueToken(this.#postgres.paths, { municipality, user: `owner-${run}`, roles: ROLES, hours: TOKEN_HOURS });
  }

  /** A caseworker’s, which ends in so many hours; or has ended, before. */
  tokenThatEnds(municipality: string, hours: number): Promise<string> {
    return issueToken(this.#postgres.paths, { municipality, roles: ROLES, hours });
  }

  operatorsToken(): Promise<string> {
    const roles = ['Indbakke.Drift', 'Indbakke.Karantæne'];
    return issueOperatorsToken(this.#postgres.paths, { roles, hours: TOKEN_HOURS });
  }

  systemToken(municipality: string): Promise<string> {
    return issueToken(this.#postgres.paths, { municipality, user: 'dubu', system: true, hours: TOKEN_HOURS });
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

  /** Stops most of the processes that have a transaction, half the time only of those in COMMIT. @returns how many */
  async silence(random: Random, forMs: number): Promise<number> {
    const busy = `SELECT pid FROM pg_stat_activity
      WHERE datname = current_database() AND application_name = $1 AND state IN ('active', 'idle in transaction')
        ${random.chance(0.5) ? "AND query = 'COMMIT'" : ''}`;
    let pids: number[] = [];
    for (const limit = performance.now() + BUSY_WITHIN_MS; pids.length === 0 && performance.now() < limit; ) {
      const found = await this.sql<{ pid: number }>(busy, [VICTIM]);
      pids = found.map(({ pid }) => pid).filter(() => random.chance(MOST));
    }
    for (const pid of pids) signal(pid, 'SIGSTOP');
    try {
      await pause(forMs);
    } finally {
      for (const pid of pids) signal(pid, 'SIGCONT');
    }
    return pids.length;
  }

  /** Resolves when no transaction is left that has begun before now: what it leaves is final. */
  async untilTransactionsEnd(): Promise<void> {
    const [row] = await this.sql<{ now: Date }>('SELECT clock_timestamp() AS now');
    const left = `SELECT FROM pg_stat_activity
      WHERE datname = current_database() AND application_name = $1 AND xact_start < $2`;
    while ((await this.sql(left, [VICTIM, row?.now])).length > 0) await pause(20);
  }

  /** Makes due now what is due within an hour: what jobs that are lost have left undone. */
  async moveClockOn(): Promise<void> {
    const hourAgo = (column: string) => `${column} = ${column} - interval '1 hour'`;
    await this.sql(`UPDATE messages SET ${hourAgo('next_enqueue_at')} WHERE suggestion_run_at IS NULL`);
    await this.sql(`UPDATE content_removals SET ${hourAgo('requested_at')}`);
    await this.sql(`UPDATE extracts SET ${hourAgo('next_enqueue_at')} WHERE next_run_at <= now()`);
    await this.sql(`UPDATE access_packages SET ${hourAgo('next_enqueue_at')} WHERE status = 'waiting'`);
    await this.sql(`UPDATE zip_downloads SET ${hourAgo('next_enqueue_at')} WHERE status IN ('waiting', 'running')`);
    for (const table of ['file_fetches', 'business_receipts', 'onward_distributions', 'message_scans']) {
      await this.sql(`UPDATE ${table} SET next_enqueue_at = next_enqueue_at - interval '3 hours'`);
    }
  }

  /** Writes rows of the audit log into a month that is not kept any more, and waits until they have their positions. */
  async writeOldMonth(): Promise<void> {
    const month = `date_trunc('month', now() AT TIME ZONE 'UTC') - interval '${OLD_MONTHS} months'`;
    await this.sql(`DO $$ BEGIN
      EXECUTE format('CREATE TABLE IF NOT EXISTS audit_months.%I PARTITION OF audit_events FOR VALUES FROM (%L) TO (%L)',
        to_char(${month}, '"m"YYYY_MM'), (${month}) AT TIME ZONE 'UTC', (${month} + interval '1 month') AT TIME ZONE 'UTC');
    END $$`);
    await this.sql(
      `INSERT INTO audit_events (id, at, municipality, actor_kind, actor, action, details)
       SELECT gen_random_uuid(), (${month}) AT TIME ZONE 'UTC', cvr, 'user', 'anna', 'read', '{}'
       FROM unnest($1::text[]) AS cvr, generate_series(1, 20)`,
      [this.municipalities],
    );
    const unnumbered = `SELECT FROM audit_events WHERE position IS NULL AND at < (${month} + interval '1 month') AT TIME ZONE 'UTC'`;
    while ((await this.sql(unnumbered)).length > 0) await pause(20);
  }

  /** What verifying the audit log finds. */
  async verifyAuditLog(): Promise<string[]> {
    const faults: string[] = [];
    const keys = await loadKeyRing(this.env.KEY_FILE as string);
    const client = await this.#pool.connect();
    try {
      await verifyAuditLog(client, keys, { onFault: (fault) => faults.push(fault) });
    } finally {
      client.release();
    }
    return faults;
  }

  /** Cuts about half of the services’ connections to the database. */
  async cutConnections(): Promise<void> {
    await this.sql(
      `SELECT pg_terminate_backend(pid) FROM pg_stat_activity
       WHERE datname = current_database() AND application_name = $1 AND random() < 0.5`,
      [VICTIM],
    );
  }

  /** Of its first process; undefined while it is down. */
  get postgresPid(): number | undefined {
    return serverOf(this.#postgres.dataDir)?.pid;
  }

  killPostgres(): Promise<void> {
    return killPostgres(this.#postgres.dataDir);
  }

  restartPostgres(): Promise<void> {
    return restartPostgres(this.#postgres.dataDir, this.#logFile);
  }

  async close(): Promise<void> {
    await this.farEnd.close();
    await this.#pool.end();
  }
}

function signal(pid: number, name: 'SIGSTOP' | 'SIGCONT'): void {
  try {
    process.kill(pid, name);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error; // it has just ended
  }
}
