import { setTimeout as pause } from 'node:timers/promises';
import { InboxClient } from '../../testkit/inbox-client.js';
import { Random } from '../random.js';
import { atOnce, Comparison } from './compare.js';
import type { Fault } from './faults.js';
import { isPoint, type Kill, type Point, ROUND, roadTo } from './kills.js';
import { Ledger } from './ledger.js';
import { Load, send } from './load.js';
import type { Stage } from './stage.js';
import { type Victim, Victims } from './victims.js';
import { KNOWN } from './write-memos.js';

export interface Plan {
  readonly runs: number;
  readonly seed: number;
  /** The kinds of kill, one after the other; all of them when there is none. */
  readonly kills?: readonly Kill[];
  readonly fault?: Fault | undefined;
  /** All of it is compared each time that so many runs are done, and at the end. */
  readonly quietEvery: number;
  /** Nothing may be stuck longer. */
  readonly stuckAfterMs: number;
  readonly signal: AbortSignal;
  readonly onRun?: (done: number, ledger: Ledger) => void;
}

export interface Outcome {
  readonly ledger: Ledger;
  /** Runs of each kind, and in how many the kill fell where it was meant to. */
  readonly runs: ReadonlyMap<Kill, { runs: number; kills: number }>;
}

// A point that the load does not come by in this time is killed from outside, and not counted.
const POINT_WITHIN_MS = 10_000;
const TAKEN_IN_WITHIN_MS = 30_000;
const SENT_AGAIN_AT_ONCE = 4;
/** Of what got no answer, some is never sent again: it must be there whole, or not at all. */
const GIVEN_UP = 0.15;
const ASK_EVERY_MS = 100;
/** A count that is passed already. */
const NEVER = 0;
const SENT_AGAIN_AT_THE_END = 300;

/** Plays a plan on a stage. */
export async function play(stage: Stage, plan: Plan): Promise<Outcome> {
  const harness = new Harness(stage, plan);
  try {
    await harness.begin(await stage.systemToken());
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
  #victim: Victim;

  constructor(stage: Stage, plan: Plan) {
    this.#stage = stage;
    this.#plan = plan;
    this.#kills = plan.kills ?? ROUND;
    this.#victims = new Victims(stage.env, plan.fault);
    this.#comparison = new Comparison(stage, this.ledger);
    this.#victim = this.#victims.next();
  }

  /** Starts the services, and tells them what the core knows. */
  async begin(systemToken: string): Promise<void> {
    await this.#victim.start();
    const core = new InboxClient(this.#victim.url, systemToken, this.#plan.signal);
    await core.upsertCase(KNOWN.caseId, { status: 'open' });
    await core.registerSentMessage(KNOWN.messageUUID, { caseId: KNOWN.caseId });
  }

  async end(): Promise<void> {
    await this.#victims.end();
  }

  /** One kill under load, and all that follows. */
  async run(run: number): Promise<void> {
    const kill = this.#kills[run % this.#kills.length] as Kill;
    const random = new Random(this.#plan.seed + run * 7_919);
    const load = new Load(this.#stage, this.ledger, this.#victim.url, { random: random.fork('load'), run, kill });
    const fell = await this.#kill(kill, random).finally(() => load.stop());
    await this.#startAgain(kill, random);
    await this.#sendAgain(random);
    await this.#comparison.settle();
    await this.#comparison.rows(this.ledger.ofRun(run));
    this.#note(kill, fell);
  }

  /** Waits until all is quiet, with the clock moved on, and compares everything. */
  async quiet(run: number): Promise<void> {
    const kill = this.#kills[run % this.#kills.length] as Kill;
    const { messages, removals } = await this.#untilQuiet(new Random(this.#plan.seed - run - 1));
    for (const { external_id } of messages) {
      const [letter] = this.ledger.groups.get(external_id) ?? [];
      this.ledger.find('stuck', letter ?? { uuid: external_id, kill, run }, 'refers to something and is not looked at');
    }
    for (const { blob_name } of removals) {
      const letter = this.ledger.letters.find(({ blobName }) => blobName === blob_name);
      this.ledger.find('stuck', letter ?? { uuid: blob_name, kill, run }, 'its content is not removed');
    }
    await this.#victim.sweepOrphans();
    const answered = this.ledger.letters.filter(({ receipts }) => receipts.size > 0);
    const deleted = answered.filter(({ status }) => status === 'deleted');
    const again = [...deleted.slice(-SENT_AGAIN_AT_THE_END), ...answered.slice(-SENT_AGAIN_AT_THE_END)];
    await atOnce(SENT_AGAIN_AT_ONCE, again, async (letter) => {
      const status = await send(this.#victim.url, letter, this.ledger);
      if (status !== 200) this.ledger.find('lost', letter, `was answered ${status} when it was sent again`);
    });
    await this.#comparison.rows(this.ledger.letters);
    await this.#comparison.suggestions();
    await this.#comparison.content(kill, run);
    await this.#comparison.inbox(this.#victim.url);
    // Read through the API, so not after each run: a process that has just started takes seconds to warm up.
    const isEnd = run + 1 === this.#plan.runs;
    const notRead = this.ledger.letters.filter((letter) => isEnd || letter.run > run - this.#plan.quietEvery);
    await this.#comparison.bytes(notRead, this.#victim.url);
  }

  /** Kills in the way that is asked for. @returns whether it fell where it was meant to */
  async #kill(kill: Kill, random: Random): Promise<boolean> {
    const victim = this.#victim;
    if (isPoint(kill)) {
      victim.arm(kill, random.between(1, roadTo(kill).atMost));
      await Promise.race([victim.died, pause(POINT_WITHIN_MS)]);
      const fell = !victim.alive;
      await victim.kill();
      return fell;
    }
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

  async #startAgain(kill: Kill, random: Random): Promise<void> {
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

  /** As Serviceplatformen does: what got no answer comes again until it gets one. */
  async #sendAgain(random: Random): Promise<void> {
    const waiting = this.ledger.unanswered().filter(({ givenUp }) => !givenUp);
    for (const letter of waiting) letter.givenUp = random.chance(GIVEN_UP);
    const again = waiting.filter(({ givenUp }) => !givenUp);
    const limit = performance.now() + TAKEN_IN_WITHIN_MS;
    await atOnce(SENT_AGAIN_AT_ONCE, again, async (letter) => {
      let status = await send(this.#victim.url, letter, this.ledger);
      for (; status !== 200 && performance.now() < limit; await pause(ASK_EVERY_MS)) {
        this.#plan.signal.throwIfAborted();
        status = await send(this.#victim.url, letter, this.ledger);
      }
      if (status !== 200) this.ledger.find('stuck', letter, `could not be delivered (${status})`);
    });
  }

  /**
   * What was due in the next hour is due now; the sweeps then have `stuckAfterMs`. The services die once while they do that.
   * Gives what is left.
   */
  async #untilQuiet(random: Random): ReturnType<Comparison['unfinished']> {
    const victim = this.#victim;
    const point = random.pick<Point>(['suggestion-committed', 'content-removed', 'suggestion-written']);
    victim.arm(point, random.between(1, 3));
    let limit = await this.#moveClockOn();
    for (; ; await pause(ASK_EVERY_MS)) {
      this.#plan.signal.throwIfAborted();
      if (!this.#victim.alive) {
        await this.#startAgain('at-sweep', random);
        limit = await this.#moveClockOn();
      }
      const left = await this.#comparison.unfinished();
      if (left.messages.length + left.removals.length > 0 && performance.now() < limit) continue;
      this.#note('at-sweep', !victim.alive);
      victim.arm(point, NEVER);
      return left;
    }
  }

  /** @returns until when nothing may be stuck */
  async #moveClockOn(): Promise<number> {
    const hourAgo = (column: string) => `${column} = ${column} - interval '1 hour'`;
    await this.#stage.sql(`UPDATE messages SET ${hourAgo('next_enqueue_at')} WHERE suggestion_run_at IS NULL`);
    await this.#stage.sql(`UPDATE content_removals SET ${hourAgo('requested_at')}`);
    return performance.now() + this.#plan.stuckAfterMs;
  }

  #note(kill: Kill, fell: boolean): void {
    const { runs, kills } = this.runs.get(kill) ?? { runs: 0, kills: 0 };
    this.runs.set(kill, { runs: runs + 1, kills: kills + (fell ? 1 : 0) });
  }
}
