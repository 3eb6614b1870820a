import { setTimeout as pause } from 'node:timers/promises';
import { InboxClient } from '../../testkit/inbox-client.js';
import type { Kill } from './kills.js';
import type { Ledger, Verdict } from './ledger.js';
import type { Stage } from './stage.js';
import { MUNICIPALITIES } from './write-memos.js';

const RETRY_MS = 50;
const WAIT_SECONDS = 5;

interface Row {
  readonly municipality: string;
  readonly id: string;
  readonly message_id: string;
  readonly version: number;
  readonly position: string | null;
}

/** A core that follows the change feed of each municipality, whatever is killed meanwhile. */
export class Follower {
  readonly #stage: Stage;
  /** The ids of the events that it got, by municipality; the one at position n is the n-th. */
  readonly #got = new Map<string, string[]>();
  readonly #stopping = new AbortController();
  readonly #following: Promise<unknown>;

  /** @param url of the services of the moment; empty when there are none */
  constructor(stage: Stage, url: () => string) {
    this.#stage = stage;
    this.#following = Promise.all(MUNICIPALITIES.map((municipality) => this.#follow(municipality, url)));
  }

  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#following;
  }

  /** Whether it has every committed event; the log has no row without a position either. */
  async isAtEnd(): Promise<boolean> {
    const [row] = await this.#stage.sql<{ events: number; left: number }>(
      `SELECT (SELECT count(*)::int FROM events) AS events,
         (SELECT count(*)::int FROM audit_events WHERE position IS NULL) AS left`,
    );
    const got = [...this.#got.values()].reduce((sum, ids) => sum + ids.length, 0);
    return row?.left === 0 && row.events === got;
  }

  /** Compares what it got with the committed events when all is quiet: each once, in order. */
  async compare(ledger: Ledger, kill: Kill, run: number): Promise<void> {
    const rows = await this.#stage.sql<Row>(
      'SELECT municipality, id, message_id, version, position FROM events ORDER BY municipality, position, version',
    );
    for (const municipality of MUNICIPALITIES) {
      const committed = rows.filter((row) => row.municipality === municipality);
      const got = this.#got.get(municipality) ?? [];
      const find = (verdict: Verdict, what: string) =>
        ledger.find(verdict, { uuid: `feed of ${municipality}`, kill, run }, what);
      if (new Set(got).size < got.length) find('twice', 'the feed answered an event twice');
      const wanted = committed.map(({ id }) => id);
      if (wanted.slice(0, got.length).join() !== got.join()) find('lost', 'the feed was not what is committed');
      else if (got.length < wanted.length) find('stuck', `the feed lacks ${wanted.length - got.length} events`);
      if (committed.some(({ position }, index) => Number(position) !== index + 1)) find('half', 'positions have gaps');
      const versions = new Map<string, number>();
      for (const { message_id: id, version } of committed) {
        if (version <= (versions.get(id) ?? 0)) find('half', 'the changes of a message are not in order');
        versions.set(id, version);
      }
    }
  }

  async #follow(municipality: string, url: () => string): Promise<void> {
    const { signal } = this.#stopping;
    const token = await this.#stage.systemToken(municipality);
    const got: string[] = [];
    this.#got.set(municipality, got);
    while (!signal.aborted) {
      try {
        const client = new InboxClient(url(), token, signal);
        const { events } = await client.events({ after: String(got.length), wait: WAIT_SECONDS });
        got.push(...events.map(({ id }) => id));
      } catch {
        await pause(RETRY_MS, undefined, { signal }).catch(() => {}); // the services are away
      }
    }
  }
}
