import { setTimeout as pause } from 'node:timers/promises';
import { checkedFetch } from '../../testkit/checked-fetch.js';
import { InboxClient } from '../../testkit/inbox-client.js';
import { killPostgres } from '../../testkit/kill-postgres.js';
import { type Replica, Replicas } from '../../testkit/replicas.js';
import { repeatChanges, sendAgain } from '../crash/again.js';
import { Comparison } from '../crash/compare.js';
import type { Kill } from '../crash/kills.js';
import { Ledger } from '../crash/ledger.js';
import { Load, type LoadStyle } from '../crash/load.js';
import { Stage } from '../crash/stage.js';
import { type Victim, Victims } from '../crash/victims.js';
import { MUNICIPALITIES, REGISTERED } from '../crash/write-memos.js';
import { Random } from '../random.js';
import type { FailoverOutcome, FailoverPlan, FailoverRow } from './main.js';

/** What happens to the primary, in turn, and what findings of the crash lab are filed under. */
const WAYS = {
  killed: 'postgres',
  /** It lives, and the services reach it, but the standbys do not: it must acknowledge nothing any more. */
  'cut off': 'silent',
} as const satisfies Record<string, Kill>;
type Way = keyof typeof WAYS;

/** The limit of a transaction of the services: short, as a COMMIT of a primary that is cut off lasts for as long. */
const IMPATIENT_MS = 2_000;
/** In which a COMMIT that had reached a standby is answered. */
const UNDER_WAY_MS = 300;
const CUT_OFF_MS = 2 * IMPATIENT_MS;
const BACK_WITHIN_MS = 60_000;
const STUCK_AFTER_MS = 60_000;
const REST_MS = 20;
const POLL_MS = 50;

/**
 * Fails the primary of a PostgreSQL with two standbys over, again and again, under load, and compares.
 *
 * @param isSynchronous else something acknowledged is lost, as must be found
 */
export async function failOverPostgres(plan: FailoverPlan, isSynchronous = true): Promise<FailoverOutcome> {
  const replicas = await Replicas.start({ isSynchronous });
  try {
    const stage = await Stage.open(replicas, 'failover');
    const run = new FailoverRun(stage, replicas, plan);
    try {
      await run.begin();
      const rows: FailoverRow[] = [];
      for (let round = 0; round < plan.rounds; round += 1) rows.push(await run.round(round));
      await run.end();
      return { rows, ledger: run.ledger };
    } finally {
      await run.close();
      await stage.close();
    }
  } finally {
    await replicas.stop();
  }
}

class FailoverRun {
  readonly ledger = new Ledger();
  readonly #stage: Stage;
  readonly #replicas: Replicas;
  readonly #plan: FailoverPlan;
  readonly #comparison: Comparison;
  readonly #victims: Victims;
  readonly #victim: Victim;
  /** When receipts came. */
  readonly #receipts: number[] = [];

  constructor(stage: Stage, replicas: Replicas, plan: FailoverPlan) {
    this.#stage = stage;
    this.#replicas = replicas;
    this.#plan = plan;
    this.#comparison = new Comparison(stage, this.ledger);
    this.#victims = new Victims(stage.env, undefined);
    this.#victim = this.#victims.next();
  }

  async begin(): Promise<void> {
    await this.#victim.start({ timeoutMs: IMPATIENT_MS });
    for (const municipality of MUNICIPALITIES) {
      const token = await this.#stage.systemToken(municipality);
      const core = new InboxClient(this.#victim.url, token, this.#plan.signal);
      await core.upsertCase(REGISTERED.caseId, { status: 'open' });
      await core.registerSentMessage(REGISTERED.messageUUID, { caseId: REGISTERED.caseId });
    }
  }

  /** One failover under load; the services go on. */
  async round(round: number): Promise<FailoverRow> {
    const ways = Object.keys(WAYS) as Way[];
    const way = ways[round % ways.length] as Way;
    const random = new Random(this.#plan.seed + round * 7_919);
    this.#plan.report(`round ${round + 1}: the primary is ${way}…`);
    const kill = WAYS[way];
    const load = new Load(
      this.#stage,
      this.ledger,
      this.#victim.url,
      { random: random.fork('load'), run: round, kill },
      this.#style(),
    );
    let awayMs: number;
    const before = this.#replicas.primary;
    try {
      await pause(random.between(500, 1_500), undefined, { signal: this.#plan.signal });
      awayMs = await this.#failOver(way, round);
      await pause(random.between(500, 1_500), undefined, { signal: this.#plan.signal });
    } finally {
      await load.stop();
    }
    await this.#replace(way, before);
    const again = { stage: this.#stage, ledger: this.ledger, url: this.#victim.url, random, signal: this.#plan.signal };
    await sendAgain(again);
    await repeatChanges(again, round);
    await this.#stage.untilTransactionsEnd();
    await this.#comparison.settle();
    await this.#comparison.rows(this.ledger.ofRun(round));
    const memos = this.ledger.ofRun(round);
    const receipts = memos.reduce((sum, { receipts: own }) => sum + own.size, 0);
    const changes = [...this.ledger.changes].filter(({ run, answer }) => run === round && answer !== undefined);
    return {
      'the primary': way,
      letters: memos.length,
      receipts,
      changes: changes.length,
      'ms without a receipt': Math.round(awayMs),
    };
  }

  /** Waits until all is quiet, and compares everything. */
  async end(): Promise<void> {
    this.#plan.report('waiting until all is done, and comparing…');
    const [run, kill] = [this.#plan.rounds - 1, WAYS.killed];
    await this.#stage.moveClockOn();
    let left = await this.#comparison.unfinished();
    const isDone = () => Object.values(left).every(({ length }) => length === 0);
    for (const limit = performance.now() + STUCK_AFTER_MS; !isDone() && performance.now() < limit; ) {
      await pause(POLL_MS, undefined, { signal: this.#plan.signal });
      left = await this.#comparison.unfinished();
    }
    this.#comparison.noteUnfinished(left, kill, run);
    await this.#comparison.rows(this.ledger.sent);
    await this.#comparison.suggestions();
    await this.#comparison.auditLog(kill, run);
    await this.#comparison.inbox(this.#victim.url);
    await this.#comparison.documents();
    await this.#comparison.sentOn(kill, run);
    await this.#comparison.bytes(this.ledger.sent, this.#victim.url);
  }

  close(): Promise<void> {
    return this.#victims.end();
  }

  /** @returns for how long no receipt was given, in milliseconds */
  async #failOver(way: Way, round: number): Promise<number> {
    const began = performance.now();
    if (way === 'killed') await this.#replicas.killPrimary();
    else await this.#cutOff(round);
    await this.#replicas.promote({ keepsOpen: way === 'cut off' });
    const isBack = () => (this.#receipts.at(-1) ?? 0) > began + UNDER_WAY_MS;
    for (const limit = performance.now() + BACK_WITHIN_MS; !isBack(); await pause(POLL_MS)) {
      this.#plan.signal.throwIfAborted();
      if (performance.now() < limit) continue;
      this.ledger.find('stuck', { uuid: 'deliveries', kill: WAYS[way], run: round }, 'none is accepted any more');
      break;
    }
    return (this.#receipts.find((at) => at > began + UNDER_WAY_MS) ?? performance.now()) - began;
  }

  async #cutOff(round: number): Promise<void> {
    this.#replicas.isolatePrimary();
    await pause(UNDER_WAY_MS);
    const before = this.#receipts.length;
    await pause(CUT_OFF_MS);
    const given = this.#receipts.length - before;
    const what = `${given} receipts were given by a primary that no standby follows`;
    if (given > 0) this.ledger.find('lost', { uuid: 'deliveries', kill: WAYS['cut off'], run: round }, what);
  }

  /** The primary of before is gone, at last, and another standby takes its place. */
  async #replace(way: Way, before: Replica): Promise<void> {
    if (way === 'cut off') await killPostgres(before.dataDir);
    await this.#replicas.addStandby();
  }

  #style(): LoadStyle {
    return {
      memosEach: Number.POSITIVE_INFINITY,
      restMs: REST_MS,
      works: ['journalize', 'journalize', 'bulk', 'zip', 'reject', 'send-on'],
      overSoap: 0, // a fault that says to send again is a 500 there
      documents: 0.1,
      lastsMs: BACK_WITHIN_MS,
      ask: checkedFetch,
      onDelivery: (status) => {
        if (status === 200) this.#receipts.push(performance.now());
      },
      onError() {},
    };
  }
}
