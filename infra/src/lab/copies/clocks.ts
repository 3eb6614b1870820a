import { InboxClient } from '../../testkit/inbox-client.js';
import type { Stage } from '../crash/stage.js';
import { MUNICIPALITIES } from '../crash/write-memos.js';
import type { Copy } from '../upgrade/copy.js';

/** Half of what the clocks of the copies are wrong by. */
const SOON = { hours: 0.5, interval: `interval '30 minutes'` };
const SET_WITHIN_MS = 30_000;
const UNAUTHORIZED = 401;
/** Of an owner of its own. */
const RUN = 0;

interface Trap {
  readonly id: string;
  readonly dueAt: Date;
}

/** What a copy would do too early, or judge wrongly, that goes by its own clock. */
export class Clocks {
  readonly #stage: Stage;
  readonly #find: (what: string) => void;
  #traps: readonly Trap[] = [];

  constructor(stage: Stage, find: (what: string) => void) {
    this.#stage = stage;
    this.#find = find;
  }

  /** Saves an extract in each municipality that is due in half an hour. */
  async setTraps(url: string): Promise<void> {
    const ids: string[] = [];
    for (const municipality of MUNICIPALITIES) {
      const token = await this.#stage.ownerToken(municipality, RUN);
      const client = new InboxClient(url, token, AbortSignal.timeout(SET_WITHIN_MS));
      const schedule = { every: 'day', at: '07:30' } as const;
      ids.push(await client.createExtract({ name: 'Om lidt', filter: { status: ['journalized'] }, schedule }));
    }
    this.#traps = await this.#stage.sql<Trap>(
      `UPDATE extracts SET next_run_at = now() + ${SOON.interval}, next_enqueue_at = now() + ${SOON.interval}
       WHERE id = ANY ($1) RETURNING id, next_run_at AS "dueAt"`,
      [ids],
    );
  }

  async compareTraps(): Promise<void> {
    const rows = await this.#stage.sql<Trap & { files: number }>(
      `SELECT id, next_run_at AS "dueAt", (SELECT count(*)::int FROM extract_files f WHERE f.extract_id = e.id) AS files
       FROM extracts e WHERE id = ANY ($1)`,
      [this.#traps.map(({ id }) => id)],
    );
    for (const { id, dueAt } of this.#traps) {
      const row = rows.find((each) => each.id === id);
      if (row?.files !== 0 || row.dueAt.getTime() !== dueAt.getTime())
        this.#find(
          `extract ${id}, due in half an hour, has ${row?.files} files and is due ${row?.dueAt.toISOString()}`,
        );
    }
  }

  /** At each copy a token is valid that ends in half an hour, and none that ended half an hour ago. */
  async judgeTokens(copies: readonly Copy[]): Promise<void> {
    const [municipality] = MUNICIPALITIES;
    const [valid, ended] = await Promise.all(
      [SOON.hours, -SOON.hours].map((hours) => this.#stage.tokenThatEnds(municipality, hours)),
    );
    for (const { service, url } of copies.filter((copy) => copy.service === 'journaler')) {
      const ask = async (token = '') =>
        (await fetch(`${url}/api/v1/incoming-documents`, { headers: { authorization: `Bearer ${token}` } })).status;
      const answers = [await ask(valid), await ask(ended)];
      if (answers.join() !== [200, UNAUTHORIZED].join())
        this.#find(`tokens at ${service}: answered ${answers.join(' and ')}`);
    }
  }
}
