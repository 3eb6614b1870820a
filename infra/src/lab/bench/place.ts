import { randomBytes } from 'node:crypto';
import { mkdirSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { markIsAlive, newMark, removePostgres } from '../../../../tools/local-state.mjs';
import { type Database, prepareDatabase } from '../../local/database.js';
import { EXAMPLE_MUNICIPALITY } from '../../local/example-municipality.js';
import { startPostgres } from '../../local/postgres.js';
import { registerMunicipality } from '../../local/register-municipality.js';
import { localSettings, makeKeys } from '../../local/settings.js';
import { type StatePaths, statePaths } from '../../local/state.js';
import { Child } from './child.js';
import { cpuMsOfFamily } from './cpu.js';
import { readProfile } from './profile.js';

export interface ServerOptions {
  /** Has the processor’s time recorded; told by `Place.stopProfiled`. */
  readonly profiled?: boolean;
  readonly env?: Readonly<Record<string, string>>;
  readonly nodeOptions?: string[];
}

/** What is ended, last first. */
type Closers = (() => Promise<void>)[];

async function closeAll(closers: Closers): Promise<void> {
  for (const close of closers.splice(0).reverse()) await close().catch((error: Error) => console.error(error.message));
}

/**
 * Gives a PostgreSQL that keeps its promises (fsync on), in a folder of its own that is removed at the end. When the signal
 * comes, all of it ends at once, and `work` is left where it is: its servers are gone.
 */
export async function withSite<T>(signal: AbortSignal, work: (site: Site) => Promise<T>): Promise<T> {
  const closers: Closers = [];
  try {
    const paths = await newState();
    closers.push(() => removeState(paths.root));
    await makeKeys(paths);
    // The moment of each commit is what some benchmarks measure.
    const postgres = await startPostgres({ stateDir: paths.root, settings: { track_commit_timestamp: 'on' } });
    closers.push(() => postgres.stop());
    signal.throwIfAborted();
    const aborted = new Promise<never>((_, reject) => {
      signal.addEventListener('abort', () => reject(signal.reason), { once: true });
    });
    const working = work({ paths, superuserUrl: postgres.url, postgresPid: postgres.pid, closers });
    working.catch(() => {}); // it may fail after the signal, when nobody listens
    return await Promise.race([working, aborted]);
  } finally {
    await closeAll(closers);
  }
}

export interface Site {
  readonly paths: StatePaths;
  readonly superuserUrl: string;
  readonly postgresPid: number;
  readonly closers: Closers;
}

/** Where one benchmark takes place: an empty database, the keys and folders of the site, servers that end with it. */
export class Place {
  readonly paths: StatePaths;
  readonly database: Database;
  readonly #closers: Closers = [];
  readonly #profile: string;
  readonly #postgresPid: number;

  private constructor(paths: StatePaths, database: Database, postgresPid: number) {
    this.#postgresPid = postgresPid;
    this.paths = paths;
    this.database = database;
    this.#profile = join(paths.root, 'server.cpuprofile');
  }

  static async in<T>(
    { paths, superuserUrl, postgresPid, closers }: Site,
    work: (place: Place) => Promise<T>,
  ): Promise<T> {
    const database = await prepareDatabase(superuserUrl, `bench_${randomBytes(4).toString('hex')}`);
    await registerMunicipality(database.ownerUrl, EXAMPLE_MUNICIPALITY);
    const place = new Place(paths, database, postgresPid);
    closers.push(() => closeAll(place.#closers));
    try {
      return await work(place);
    } finally {
      await closeAll(place.#closers);
      rmSync(paths.content, { recursive: true, force: true });
      rmSync(place.folder('rivals'), { recursive: true, force: true });
    }
  }

  /** Has something ended with the place. */
  atEnd(close: () => Promise<void>): void {
    this.#closers.push(close);
  }

  /** A folder of this place, made. */
  folder(name: string): string {
    const folder = join(this.paths.root, name);
    mkdirSync(folder, { recursive: true });
    return folder;
  }

  /** Starts a server in a process of its own. Services get the settings of a local stack, on this database. */
  async start(module: string, { profiled = false, env = {}, nodeOptions }: ServerOptions = {}): Promise<Child> {
    const settings = {
      ...localSettings(this.paths),
      DATABASE_URL: this.database.url,
      DATABASE_OWNER_URL: this.database.ownerUrl,
      STATE_DIR: this.paths.root,
      FOLDER: this.folder('rivals'),
      PORT: '0',
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

  /** Ends a profiled server. @returns where its time went, a line each */
  async stopProfiled(child: Child): Promise<string[]> {
    await child.stop();
    return readProfile(this.#profile);
  }
}

/** A folder beside those of the tests: what a killed run leaves is swept by the next test, demo or benchmark. */
async function newState(): Promise<StatePaths> {
  const folder = statePaths().test;
  mkdirSync(folder, { recursive: true });
  for (const mark of readdirSync(folder).filter((name) => !markIsAlive(name))) {
    await removeState(join(folder, mark)).catch(() => {}); // a test may be removing the same one now
  }
  return statePaths({ STATE_DIR: join(folder, newMark()) });
}

async function removeState(root: string): Promise<void> {
  await removePostgres(root);
  rmSync(root, { recursive: true, force: true, maxRetries: 3 });
}
