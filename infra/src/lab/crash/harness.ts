import { setTimeout as pause } from 'node:timers/promises';
import { InboxClient } from '../../testkit/inbox-client.js';
import { type Relay, startRelay } from '../../testkit/relay.js';
import { Random } from '../random.js';
import { ACCEPTED_WITHIN_MS, CONCURRENT_RETRIES, repeatChanges, sendAgain } from './again.js';
import { Comparison, concurrently } from './compare.js';
import { askForPackages, askForZips, type DueFiles, saveExtracts, sendLettersToZip } from './due-files.js';
import type { Fault } from './faults.js';
import { Follower } from './follow.js';
import { isPoint, type Kill, makesExtracts, makesPackages, makesZips, type Point, ROUND, workBefore } from './kills.js';
import { Ledger } from './ledger.js';
import { clientsOf, Load, send } from './load.js';
import type { Stage } from './stage.js';
import { type Victim, Victims } from './victims.js';
import { MUNICIPALITIES, REGISTERED } from './write-memos.js';

export interface Plan {
  readonly runs: number;
  readonly seed: number;
  /** The kinds of kill, in turn; default: all. */
  readonly kills?: readonly Kill[];
  readonly fault?: Fault | undefined;
  /** Everything is compared after this many runs, and at the end. */
  readonly quietEvery: number;
  /** What is not done after this time is stuck. */
  readonly stuckAfterMs: number;
  readonly signal: AbortSignal;
  readonly onRun?: (done: number, ledger: Ledger) => void;
}

export interface Outcome {
  readonly ledger: Ledger;
  /** Runs of each kind, and in how many of them the kill hit its point. */
  readonly runs: ReadonlyMap<Kill, { runs: number; kills: number }>;
}

// If the load does not reach the point in this time, the kill comes from outside and does not count.
const POINT_WITHIN_MS = 10_000;
const POLL_MS = 100;
/** The limit of a transaction while PostgreSQL is silent: short, as that lasts for up to twice as long. */
const IMPATIENT_MS = 2_000;
const LOSING_MS = 3_000;
const NEVER = 0; // a count that is never reached
const FINAL_RETRIES = 300;
/** In which the files of a run are made, usually. */
const FILES_TAKE_MS = 200;
/** How long messages that arrive are held, before the cause is removed. */
const HOLDS_FOR_MS = 300;

/** Runs a plan on a stage. */
export async function play(stage: Stage, plan: Plan): Promise<Outcome> {
  const harness = new Harness(stage, plan);
  try {
    await harness.begin();
    for (let run = 0; run < plan.runs; run++) {
      plan.signal.throwIfAborted();
      await harness.run(run);
      plan.onRun?.(run + 1, harness.ledger);
      if ((run + 1) % plan.quietEvery === 0 || run + 1 === plan.runs) await harness.quiet(run);
    }
    return { ledger: harness.ledger, runs: harness.runs };
  } finally {
    await harness.end();
  }
}

class Harness {
  readonly ledger = new Ledger();
  readonly runs = new Map<Kill, { runs: number; kills: number }>();
  readonly #stage: Stage;
  readonly #plan: Plan;
  readonly #kills: readonly Kill[];
  readonly #victims: Victims;
  readonly #comparison: Comparison;
  readonly #follower: Follower;
  #victim: Victim;

  constructor(stage: Stage, plan: Plan) {
    this.#stage = stage;
    this.#plan = plan;
    this.#kills = plan.kills ?? ROUND;
    this.#victims = new Victims(stage.env, plan.fault);
    this.#comparison = new Comparison(stage, this.ledger);
    this.#victim = this.#victims.next();
    this.#follower = new Follower(stage, () => this.#victim.url);
  }

  /** Starts the services and registers the case and the sent message in each municipality; one of them wants two for a deletion. */
  async begin(): Promise<void> {
    await this.#victim.start();
    await this.#stage.sql('UPDATE municipalities SET deletion_needs_two = true WHERE cvr = $1', [MUNICIPALITIES[1]]);
    for (const municipality of MUNICIPALITIES) {
      const token = await this.#stage.systemToken(municipality);
      const core = new InboxClient(this.#victim.url, token, this.#plan.signal);
      await core.upsertCase(REGISTERED.caseId, { status: 'open' });
      await core.registerSentMessage(REGISTERED.messageUUID, { caseId: REGISTERED.caseId });
    }
  }

  async end(): Promise<void> {
    await Promise.all([this.#victims.end(), this.#follower.stop()]);
  }

  /** One kill under load, restart, retries and comparison. */
  async run(run: number): Promise<void> {
    const kill = this.#kills[run % this.#kills.length] as Kill;
    const random = new Random(this.#plan.seed + run * 7_919);
    const relay = kill === 'silent' ? await this.#restartBehindRelay() : undefined;
    const load = new Load(this.#stage, this.ledger, this.#victim.url, { random: random.fork('load'), run, kill });
    const files = this.#dueFiles(run, kill);
    if (makesExtracts(kill)) await saveExtracts(files);
    if (makesPackages(kill)) await askForPackages(files, random.fork('packages'));
    if (makesZips(kill)) await sendLettersToZip(files, random.fork('zips'));
    const hit = await (relay ? this.#silence(relay, random) : this.#kill(run, kill, random)).finally(() => load.stop());
    if (relay) await Promise.all([this.#victim.kill(), relay.close()]);
    await this.#restart(kill, random);
    if (kill === 'held-released') await this.#takeEnquiries(true);
    const { ledger } = this;
    const again = { stage: this.#stage, ledger, url: this.#victim.url, random, signal: this.#plan.signal };
    await sendAgain(again);
    await repeatChanges(again, run);
    await this.#stage.untilTransactionsEnd();
    await this.#comparison.settle();
    await this.#comparison.rows(this.ledger.ofRun(run));
    await this.#comparison.quarantine(run, this.#victim.url);
    this.#note(kill, hit);
  }

  /** Makes everything due, waits until it is done, and compares everything. */
  async quiet(run: number): Promise<void> {
    const kill = this.#kills[run % this.#kills.length] as Kill;
    const left = await this.#untilQuiet(new Random(this.#plan.seed - run - 1));
    this.#comparison.noteUnfinished(left, kill, run);
    await this.#sweepOrphans(new Random(this.#plan.seed - run - 1));
    await this.#victim.dropAuditMonths();
    const answered = this.ledger.sent.filter(({ receipts }) => receipts.size > 0);
    const deleted = answered.filter(({ status }) => status === 'deleted');
    const again = [...deleted.slice(-FINAL_RETRIES), ...answered.slice(-FINAL_RETRIES)];
    await concurrently(CONCURRENT_RETRIES, again, async (memo) => {
      const status = await send(this.#victim.url, memo, this.ledger);
      if (status !== 200) this.ledger.find('lost', memo, `was answered ${status} when sent again`);
    });
    await this.#comparison.rows(this.ledger.sent);
    await this.#comparison.suggestions();
    await this.#followToEnd(kill, run);
    await this.#comparison.content(kill, run);
    await this.#comparison.auditLog(kill, run);
    await this.#comparison.inbox(this.#victim.url);
    await this.#comparison.extracts(this.#victim.url);
    await this.#comparison.packages(this.#victim.url);
    await this.#comparison.zips(this.#victim.url);
    await this.#comparison.documents();
    await this.#comparison.sentOn(kill, run);
    await this.#comparison.scans(kill, run);
    // Through the API, so not after each run: a new process takes seconds to warm up.
    const isEnd = run + 1 === this.#plan.runs;
    const notRead = this.ledger.sent.filter((memo) => isEnd || memo.run > run - this.#plan.quietEvery);
    await this.#comparison.bytes(notRead, this.#victim.url);
  }

  async #sweepOrphans(random: Random): Promise<void> {
    try {
      await this.#victim.sweepOrphans();
    } catch (error) {
      if (this.#victim.alive) throw error;
      await this.#restart('at-sweep', random); // it has just passed the point that it was armed with
      await this.#victim.sweepOrphans();
    }
  }

  /** Waits until the core has followed the feed to its end, and compares what it got. */
  async #followToEnd(kill: Kill, run: number): Promise<void> {
    const limit = performance.now() + this.#plan.stuckAfterMs;
    while (!(await this.#follower.isAtEnd()) && performance.now() < limit) await pause(POLL_MS);
    await this.#follower.compare(this.ledger, kill, run);
  }

  /** @returns whether the kill hit its point */
  async #kill(run: number, kill: Kill, random: Random): Promise<boolean> {
    const victim = this.#victim;
    if (isPoint(kill)) {
      if (kill === 'audit-month-anchored') await this.#stage.writeOldMonth();
      if (kill === 'held-released') {
        await this.#takeEnquiries(false);
        await pause(HOLDS_FOR_MS);
      }
      victim.arm(kill, random.between(1, workBefore(kill).maxCount));
      if (kill === 'held-released') await this.#takeEnquiries(true).catch(() => {}); // it dies meanwhile
      if (makesExtracts(kill) || makesPackages(kill)) victim.sweepDue();
      if (makesZips(kill)) askForZips(this.#dueFiles(run, kill)).catch(() => {}); // it dies meanwhile
      if (kill === 'audit-month-anchored') victim.dropAuditMonths().catch(() => {}); // it dies meanwhile
      await Promise.race([victim.died, pause(POINT_WITHIN_MS)]);
      const hit = !victim.alive;
      await victim.kill();
      return hit;
    }
    if (kill === 'at-extract' || kill === 'at-package') {
      victim.sweepDue();
      await pause(random.between(0, FILES_TAKE_MS));
      await victim.kill();
      return true;
    }
    if (kill === 'at-zip') askForZips(this.#dueFiles(run, kill)).catch(() => {}); // it dies meanwhile
    await pause(random.between(5, 1_000));
    if (kill === 'postgres') {
      await this.#stage.killPostgres();
      await pause(random.between(0, 100));
      await this.#stage.restartPostgres();
      await pause(random.between(0, 200));
      return victim.alive;
    }
    if (kill === 'both') {
      await Promise.all([this.#stage.killPostgres(), victim.kill()]);
      await this.#stage.restartPostgres();
      return true;
    }
    await victim.kill();
    return true;
  }

  /** Has enquiries held; or, with true, what is held released. */
  async #takeEnquiries(takesEnquiries: boolean): Promise<void> {
    for (const client of clientsOf(this.#stage, this.#victim.url, ACCEPTED_WITHIN_MS).values()) {
      await client.changeSettings({ takesEnquiries });
    }
  }

  #dueFiles(run: number, kill: Kill): DueFiles {
    return { stage: this.#stage, ledger: this.ledger, url: this.#victim.url, run, kill };
  }

  /** Replaces the services by some that give transactions up early, with the database behind a relay. */
  async #restartBehindRelay(): Promise<Relay> {
    await this.#victim.kill();
    const relay = await startRelay(this.#stage.env.DATABASE_URL ?? '');
    this.#victim = this.#victims.next();
    await this.#victim.start({ env: { DATABASE_URL: relay.url }, timeoutMs: IMPATIENT_MS });
    return relay;
  }

  /** Loses some COMMITs or their answers, then stops processes of PostgreSQL for a time. @returns whether any were busy */
  async #silence(relay: Relay, random: Random): Promise<boolean> {
    for (const limit = performance.now() + LOSING_MS; performance.now() < limit; await pause(random.between(5, 50))) {
      if (relay.isArmed) continue;
      relay.failAt('COMMIT', { when: random.pick(['before', 'after']), how: random.pick(['silence', 'reset']) });
    }
    const stopped = await this.#stage.silence(random, random.between(IMPATIENT_MS / 2, IMPATIENT_MS * 2));
    await pause(random.between(0, 500));
    return stopped > 0;
  }

  async #restart(kill: Kill, random: Random): Promise<void> {
    if (kill === 'at-start') {
      const early = this.#victims.next();
      early.startUnwatched();
      await pause(random.between(20, 600));
      await early.kill();
    }
    if (this.#victim.alive) return;
    this.#victim = this.#victims.next();
    await this.#victim.start();
  }

  /**
   * Makes what is due within an hour due now; the sweeps then have `stuckAfterMs`. The services are killed once meanwhile.
   * @returns what is left
   */
  async #untilQuiet(random: Random): ReturnType<Comparison['unfinished']> {
    const victim = this.#victim;
    const point = random.pick<Point>(['suggestion-committed', 'content-removed', 'suggestion-written']);
    victim.arm(point, random.between(1, 3));
    let limit = await this.#moveClockOn();
    for (; ; await pause(POLL_MS)) {
      this.#plan.signal.throwIfAborted();
      if (!this.#victim.alive) {
        await this.#restart('at-sweep', random);
        limit = await this.#moveClockOn();
      }
      const left = await this.#comparison.unfinished();
      if (Object.values(left).some(({ length }) => length > 0) && performance.now() < limit) continue;
      this.#note('at-sweep', !victim.alive);
      victim.arm(point, NEVER);
      return left;
    }
  }

  /** @returns when everything must be done */
  async #moveClockOn(): Promise<number> {
    await this.#stage.moveClockOn();
    return performance.now() + this.#plan.stuckAfterMs;
  }

  #note(kill: Kill, hit: boolean): void {
    const { runs, kills } = this.runs.get(kill) ?? { runs: 0, kills: 0 };
    this.runs.set(kill, { runs: runs + 1, kills: kills + (hit ? 1 : 0) });
  }
}
