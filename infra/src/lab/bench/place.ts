import { randomBytes } from 'node:crypto';
import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { Env } from '@indbakke/shared/config';
import pg from 'pg';
import { type Database, prepareDatabase, withDatabase } from '../../local/database.js';
import type { StatePaths } from '../../local/state.js';
import { runSql } from '../../testkit/database.js';
import { type OwnPostgres, startOwnPostgres } from '../../testkit/own-state.js';
import { prepareState } from '../../testkit/set-up.js';
import { Child } from './child.js';
import { cpuMsOfFamily } from './cpu.js';
import { readProfile } from './profile.js';

export interface ServerOptions {
  /** Profiles the processor time for `Place.stopProfiled`. */
  readonly profiled?: boolean;
  readonly env?: Readonly<Record<string, string>>;
  readonly nodeOptions?: string[];
}

/** Closed in reverse order. */
type Closers = (() => Promise<void>)[];

async function closeAll(closers: Closers): Promise<void> {
  for (const close of closers.splice(0).reverse()) await close().catch((error: Error) => console.error(error.message));
}

/**
 * Runs `work` with a new durable PostgreSQL (fsync on), which is removed at the end. On the signal everything stops at once,
 * and `work` is abandoned.
 */
export async function withSite<T>(signal: AbortSignal, work: (site: Site) => Promise<T>): Promise<T> {
  const closers: Closers = [];
  try {
    // Some benchmarks measure the time of commits.
    const postgres = await startOwnPostgres({ track_commit_timestamp: 'on' });
    closers.push(() => postgres.stop());
    signal.throwIfAborted();
    const aborted = new Promise<never>((_, reject) => {
      signal.addEventListener('abort', () => reject(signal.reason), { once: true });
    });
    const working = work({ postgres, closers });
    working.catch(() => {}); // it may fail after the signal
    return await Promise.race([working, aborted]);
  } finally {
    await closeAll(closers);
  }
}

export interface Site {
  readonly postgres: OwnPostgres;
  readonly closers: Closers;
}

/** The place of one benchmark: an empty database, keys and folders, and servers that stop with it. */
export class Place {
  readonly paths: StatePaths;
  readonly database: Database;
  readonly #closers: Closers = [];
  readonly #profile: string;
  readonly #settings: Env;
  readonly #postgresPid: number;

  private constructor({ paths, pid }: OwnPostgres, database: Database, settings: Env) {
    this.#postgresPid = pid;
    this.paths = paths;
    this.database = database;
    this.#settings = settings;
    this.#profile = join(paths.root, 'server.cpuprofile');
  }

  static async in<T>({ postgres, closers }: Site, work: (place: Place) => Promise<T>): Promise<T> {
    const { url, paths } = postgres;
    const database = await prepareDatabase(url, `bench_${randomBytes(4).toString('hex')}`);
    const place = new Place(postgres, database, await prepareState(paths, database));
    closers.push(() => closeAll(place.#closers));
    try {
      return await work(place);
    } finally {
      await closeAll(place.#closers);
      rmSync(paths.content, { recursive: true, force: true });
      rmSync(place.folder('rivals'), { recursive: true, force: true });
    }
  }

  /** Registers something to close with the place. */
  atEnd(close: () => Promise<void>): void {
    this.#closers.push(close);
  }

  /** A connection as the owner, closed with the place. */
  async connect(): Promise<pg.Client> {
    const client = new pg.Client({ connectionString: this.database.ownerUrl });
    await client.connect();
    this.atEnd(() => client.end());
    return client;
  }

  /** A copy of the database, to which nothing may be connected; removed with the place. */
  async copyDatabase(): Promise<Database> {
    const { url, ownerUrl } = this.database;
    const original = new URL(ownerUrl).pathname.slice(1);
    const name = `${original}_copy`;
    const server = withDatabase(ownerUrl, 'postgres');
    await runSql(server, `CREATE DATABASE ${name} TEMPLATE ${original}`);
    this.atEnd(async () => void (await runSql(server, `DROP DATABASE ${name} WITH (FORCE)`)));
    return { url: withDatabase(url, name), ownerUrl: withDatabase(ownerUrl, name) };
  }

  /** A folder of this place, created if missing. */
  folder(name: string): string {
    const folder = join(this.paths.root, name);
    mkdirSync(folder, { recursive: true });
    return folder;
  }

  /** Starts a server in its own process. Services get the settings of a local stack on this database. */
  async start(module: string, { profiled = false, env = {}, nodeOptions }: ServerOptions = {}): Promise<Child> {
    const settings = {
      ...this.#settings,
      DATABASE_OWNER_URL: this.database.ownerUrl,
      STATE_DIR: this.paths.root,
      FOLDER: this.folder('rivals'),
      ...(profiled && { PROFILE: this.#profile }),
      ...env,
    };
    const child = await Child.start(module, settings, nodeOptions);
    this.atEnd(() => child.stop());
    return child;
  }

  /** Processor time of PostgreSQL so far, in ms. */
  postgresCpuMs(): number {
    return cpuMsOfFamily(this.#postgresPid);
  }

  /** Stops a profiled server. @returns lines saying where its time went */
  async stopProfiled(child: Child): Promise<string[]> {
    await child.stop();
    return readProfile(this.#profile);
  }
}
