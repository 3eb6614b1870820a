import { setTimeout as pause } from 'node:timers/promises';
import pg from 'pg';

/** How long a migration waits for the locks on tables. */
export interface Patience {
  /** For all locks of one attempt. */
  readonly locksMs: number;
  /** Between attempts. */
  readonly restMs: number;
  readonly attempts: number;
}

// Behind a migration that waits for a table, everybody waits who comes later, intake too: so it waits briefly, lets them go on,
// and tries again, for about two minutes. Not for a second: after that (deadlock_timeout) PostgreSQL looks for transactions
// that wait for each other, and may end that of a service, which has waited as long.
export const PATIENCE: Patience = { locksMs: 900, restMs: 1_000, attempts: 60 };

const LOOK_MS = 250;
const TELL_EVERY_MS = 30_000;

// PostgreSQL 18, appendix A: lock_not_available, deadlock_detected.
const NO_LOCK = new Set<unknown>(['55P03', '40P01']);

export type Report = (line: string) => void;

/**
 * Does `work`, again and again while a lock cannot be had; it must undo what it did when that fails.
 *
 * @param what begins the sentences: `Migration 20261120000000_tables`
 * @throws Error with a sentence that tells who has the lock; any other error as it is
 */
export async function patiently(
  what: string,
  { watch, patience, report }: { watch: LockWatch; patience: Patience; report: Report },
  work: () => Promise<void>,
): Promise<void> {
  for (let attempt = 1; ; attempt += 1) {
    watch.begin(what);
    try {
      return await work();
    } catch (cause) {
      if (!NO_LOCK.has((cause as { code?: unknown }).code)) throw cause;
      const waited = `${what} waits for ${watch.last ?? 'a lock'}.`;
      if (attempt === patience.attempts)
        throw new Error(
          `${waited} It gave up after ${attempt} attempts. End that process or wait for its end, then migrate again.`,
          { cause },
        );
      report(`${waited} Attempt ${attempt + 1} of ${patience.attempts} follows in ${patience.restMs / 1_000} s.`);
    }
    await pause(patience.restMs);
  }
}

// No texts of queries, which may have personal data. The age of others' transactions is shown to members of pg_read_all_stats.
const WAITS = `
  SELECT (SELECT relation::regclass::text FROM pg_locks WHERE pid = ANY ($1) AND NOT granted AND relation IS NOT NULL LIMIT 1) AS "table",
    a.pid, a.application_name AS name, extract(epoch FROM clock_timestamp() - a.xact_start)::int AS age
  FROM pg_stat_activity a
  WHERE a.pid IN (SELECT unnest(pg_blocking_pids(waiting)) FROM unnest($1::int[]) AS waiting) AND a.pid <> ALL ($1)
  ORDER BY a.xact_start NULLS LAST, a.pid`;

interface Wait {
  readonly table: string | null;
  readonly pid: number;
  readonly name: string;
  readonly age: number | null;
}

/** Sees, from a session of its own, whom sessions wait for, and tells it when that takes long. */
export class LockWatch {
  readonly #client: pg.Client;
  readonly #report: Report;
  readonly #looking: Promise<void>;
  #what = '';
  #last: string | undefined;
  #told = 0;
  #isStopped = false;

  private constructor(client: pg.Client, pids: readonly number[], report: Report) {
    this.#client = client;
    this.#report = report;
    // One that fails ends it: then nobody knows who is waited for.
    this.#looking = this.#look(pids).catch(() => {});
  }

  static async open(url: string, sessions: readonly pg.Client[], report: Report): Promise<LockWatch> {
    const client = new pg.Client({ connectionString: url, application_name: 'indbakke-migrate' });
    client.on('error', () => {});
    await client.connect();
    const pids = await Promise.all(
      sessions.map(async (session) => {
        const { rows } = await session.query<{ pid: number }>('SELECT pg_backend_pid() AS pid');
        return rows[0]?.pid as number;
      }),
    );
    return new LockWatch(client, pids, report);
  }

  /** What waits from now on. */
  begin(what: string): void {
    this.#what = what;
    this.#last = undefined;
    this.#told = Date.now();
  }

  /** `table messages, which process 4711 (receiver) has in a transaction of 754 s` */
  get last(): string | undefined {
    return this.#last;
  }

  async close(): Promise<void> {
    this.#isStopped = true;
    await this.#looking;
    await this.#client.end();
  }

  async #look(pids: readonly number[]): Promise<void> {
    for (; !this.#isStopped; await pause(LOOK_MS)) {
      const { rows } = await this.#client.query<Wait>(WAITS, [pids]);
      if (rows.length === 0) continue;
      this.#last = inWords(rows);
      if (Date.now() - this.#told < TELL_EVERY_MS) continue;
      this.#told = Date.now();
      this.#report(`${this.#what} waits for ${this.#last}.`);
    }
  }
}

function inWords(waits: readonly Wait[]): string {
  const table = waits[0]?.table;
  const holders = waits.map(({ pid, name, age }) => {
    const since = age === null ? 'of unknown age' : `of ${age} s`;
    return `process ${pid}${name ? ` (${name})` : ''} has in a transaction ${since}`;
  });
  return `${table ? `table ${table}` : 'a lock'}, which ${holders.join(' and ')}`;
}
