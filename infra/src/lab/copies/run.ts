import { setTimeout as pause } from 'node:timers/promises';
import type { Env } from '@indbakke/shared/config';
import { withClock } from '../../testkit/faketime.js';
import { Comparison, concurrently } from '../crash/compare.js';
import { askForPackages, askForZips, type DueFiles, saveExtracts, sendLettersToZip } from '../crash/due-files.js';
import { Ledger, type SentMemo } from '../crash/ledger.js';
import { send } from '../crash/load.js';
import type { Stage } from '../crash/stage.js';
import { Random } from '../random.js';
import { Balancer } from '../upgrade/balancer.js';
import { Copy, weightOf } from '../upgrade/copy.js';
import type { Phase } from '../upgrade/table.js';
import { RUN, Traffic } from '../upgrade/traffic.js';
import { thisVersion } from '../upgrade/version.js';
import { Watchers } from '../upgrade/watchers.js';
import { Clocks } from './clocks.js';
import { sweepOrphansOf } from './sweep-orphans.js';

export interface CopiesPlan {
  /** Each kills one copy of every service, replaces it, and pauses the others. */
  readonly rounds: number;
  readonly pauseSeconds: number;
  readonly seed: number;
  /** redis://… for the queues; on PostgreSQL when absent. */
  readonly queueUrl?: string | undefined;
  readonly signal: AbortSignal;
  readonly report: (line: string) => void;
}

export interface Finding {
  readonly verdict: string;
  readonly what: string;
}

export interface CopiesOutcome {
  readonly phases: readonly Phase[];
  readonly findings: readonly Finding[];
  readonly figures: Readonly<Record<string, number>>;
}

/** Of the first two copies. */
const CLOCKS = ['', '+1h'] as const;
/** Of those that replace one that was killed: the other is then two hours ahead of it. */
const CLOCK_OF_REPLACEMENT = '-1h';
const LOAD_MS = 4_000;
/** A proxy that asks whether they are ready notices after so long that one does not answer. */
const NOTICED_MS = 500;
const QUIET_WITHIN_MS = 90_000;
const MOVED_EVERY_MS = 15_000;
const POLL_MS = 200;
const SENT_AGAIN_WITHIN_MS = 30_000;
const CONCURRENT = 4;
/** Letters whose files are read in the end, about. */
const READ_AGAIN = 300;

/** Runs two copies of each service with clocks that differ, kills and pauses some under load, and compares what is there. */
export async function playCopies(stage: Stage, plan: CopiesPlan): Promise<CopiesOutcome> {
  const run = new CopiesRun(stage, plan, await Balancer.open());
  try {
    await run.begin();
    for (let round = 0; round < plan.rounds; round += 1) await run.round(round);
    return await run.end();
  } finally {
    await run.close();
  }
}

class CopiesRun {
  readonly #stage: Stage;
  readonly #plan: CopiesPlan;
  readonly #balancer: Balancer;
  readonly #env: Env;
  readonly #ledger = new Ledger();
  readonly #random: Random;
  readonly #comparison: Comparison;
  readonly #clocks: Clocks;
  readonly #version = thisVersion();
  /** Of each service, those that run. */
  readonly #running = new Map<string, Copy[]>();
  readonly #all: Copy[] = [];
  /** Those that were killed or paused: their logs may have errors. */
  readonly #disturbed = new Set<Copy>();
  readonly #findings: Finding[] = [];
  readonly #lengths = new Map<string, number>();
  #files = 0;
  #watchers: Watchers | undefined;
  #traffic: Traffic | undefined;

  constructor(stage: Stage, plan: CopiesPlan, balancer: Balancer) {
    this.#stage = stage;
    this.#plan = plan;
    this.#balancer = balancer;
    // Few connections, since there are many processes.
    this.#env = {
      ...stage.env,
      DATABASE_CONNECTIONS: '8',
      WEBHOOK_ALLOW: '127.0.0.1',
      ...(plan.queueUrl && { QUEUE_URL: plan.queueUrl }),
    };
    this.#random = new Random(plan.seed);
    this.#comparison = new Comparison(stage, this.#ledger);
    this.#clocks = new Clocks(stage, (what) => this.#find('early', what));
  }

  async begin(): Promise<void> {
    for (const clock of CLOCKS) await this.#startAll(clock);
    this.#watchers = await Watchers.start(this.#stage, this.#balancer.url, this.#random, this.#plan.signal);
    await this.#clocks.setTraps(this.#balancer.url);
    await this.#phase('two copies', async () => {
      await this.#makeFiles(this.#random.fork('files'));
      await this.#load();
      await this.#clocks.judgeTokens(this.#copies());
      await this.#compareLeases();
    });
  }

  async round(round: number): Promise<void> {
    const random = this.#random.fork(`round ${round}`);
    const name = (what: string) => (this.#plan.rounds > 1 ? `${what}, ${round + 1}` : what);
    await this.#phase(name('one is killed'), async () => {
      const files = this.#makeFiles(random.fork('before the kill')).catch(() => {}); // whom it asks may die
      await pause(random.between(0, LOAD_MS));
      await this.#kill(round === 0 ? 0 : 1); // one that is ahead stays
      await this.#load();
      await files;
    });
    await this.#phase(name('another is there'), async () => {
      await this.#startAll(CLOCK_OF_REPLACEMENT);
      await this.#load();
      await this.#clocks.judgeTokens(this.#copies());
    });
    await this.#phase(name('one is paused'), async () => {
      const files = this.#makeFiles(random.fork('before the pause')).catch(() => {});
      await pause(random.between(0, LOAD_MS));
      await this.#pauseThenWake(round % 2);
      await files;
    });
    await this.#phase(name('all are awake'), () => this.#load());
  }

  /** Waits until all is quiet, compares everything, and stops all copies. */
  async end(): Promise<CopiesOutcome> {
    const [traffic, watchers] = [this.#traffic as Traffic, this.#watchers as Watchers];
    this.#plan.report('waiting until all is done…');
    await traffic.stop();
    await this.#sendAgain();
    await this.#untilQuiet(watchers);
    this.#plan.report('comparing…');
    await this.#compare(traffic);
    const answered = [...this.#ledger.changes].flatMap(({ answer }) => answer ?? []);
    const { findings, committed, messages, webhooks } = await watchers.compare(answered);
    this.#findings.push(...findings);
    await this.#clocks.compareTraps();
    for (const copy of this.#copies()) await copy.stop();
    this.#readLogs();
    const phases = [...traffic.seen].map(([name, seen]) => ({ ...seen, name, seconds: this.#lengths.get(name) ?? 0 }));
    return {
      phases,
      findings: this.#findings,
      figures: {
        copies: this.#all.length,
        messages,
        receipts: this.#ledger.sent.filter(({ receipts }) => receipts.size > 0).length,
        changes: answered.length,
        extracts: this.#ledger.extracts.length,
        packages: this.#ledger.packages.length,
        zips: this.#ledger.zips.length,
        events: committed.length,
        webhooks,
      },
    };
  }

  async close(): Promise<void> {
    this.#balancer.close();
    for (const copy of this.#all) copy.kill();
    await this.#traffic?.stop();
    await this.#watchers?.kill();
  }

  #copies(): readonly Copy[] {
    return [...this.#running.values()].flat();
  }

  #find(verdict: string, what: string): void {
    this.#findings.push({ verdict, what });
  }

  async #phase(name: string, work: () => Promise<void>): Promise<void> {
    this.#plan.report(`${name}…`);
    this.#traffic ??= new Traffic(this.#stage, this.#ledger, this.#balancer.url, this.#random.fork('traffic'), name, {
      works: ['journalize', 'journalize', 'bulk', 'zip', 'reject', 'send-on', 'delete'],
      documents: 0.1,
    });
    this.#traffic.begin(name);
    const began = performance.now();
    await work();
    this.#lengths.set(name, Math.round((performance.now() - began) / 100) / 10);
  }

  #load(): Promise<void> {
    return pause(LOAD_MS, undefined, { signal: this.#plan.signal });
  }

  /** One of each service, at once. */
  async #startAll(clock: string): Promise<void> {
    this.#plan.signal.throwIfAborted();
    const env = { ...this.#env, ...(clock && withClock(clock)) };
    await Promise.all(
      this.#version.services.map(async (service) => {
        const copy = await Copy.start(this.#version, service, env);
        this.#all.push(copy);
        this.#running.set(service, [...(this.#running.get(service) ?? []), copy]);
        this.#balancer.add(service, copy.url);
      }),
    );
  }

  /** Extracts, access packages and zips that are due at once. */
  async #makeFiles(random: Random): Promise<void> {
    this.#files += 1; // a user has few: so each time another
    const files: DueFiles = {
      stage: this.#stage,
      ledger: this.#ledger,
      url: this.#balancer.url,
      run: this.#files,
      kill: RUN.kill,
    };
    await saveExtracts(files);
    await askForPackages(files, random.fork('packages'));
    await sendLettersToZip(files, random.fork('zips'));
    await askForZips(files);
  }

  /** The n-th copy of each service; a proxy notices it a little later. */
  async #kill(n: number): Promise<void> {
    const copies = [...this.#running.values()].map((of) => of[n] as Copy);
    for (const copy of copies) {
      this.#disturbed.add(copy);
      copy.kill();
    }
    await pause(NOTICED_MS);
    for (const copy of copies) this.#balancer.takeOut(copy.service, copy.url);
    for (const [service, of] of this.#running) this.#running.set(service, of.toSpliced(n, 1));
  }

  async #pauseThenWake(n: number): Promise<void> {
    const copies = [...this.#running.values()].map((of) => of[n] as Copy);
    for (const copy of copies) {
      this.#disturbed.add(copy);
      copy.pause();
    }
    await pause(NOTICED_MS);
    for (const copy of copies) this.#balancer.takeOut(copy.service, copy.url);
    await pause(this.#plan.pauseSeconds * 1_000, undefined, { signal: this.#plan.signal });
    for (const copy of copies) {
      copy.wake();
      this.#balancer.add(copy.service, copy.url);
    }
  }

  /** Before anything was killed or paused, no copy has taken a job for lost that another was at. */
  async #compareLeases(): Promise<void> {
    if (this.#plan.queueUrl) return;
    const [row] = await this.#stage.sql<{ stolen: number }>(
      'SELECT count(*)::int AS stolen FROM bullmq.job WHERE stalled_count > 0',
    );
    if (row && row.stolen > 0) this.#find('twice', `${row.stolen} jobs were taken from a copy that was at them`);
  }

  /** As Serviceplatformen does with what has got no receipt. */
  async #sendAgain(): Promise<void> {
    const { signal } = this.#plan;
    const limit = performance.now() + SENT_AGAIN_WITHIN_MS;
    await concurrently(CONCURRENT, this.#ledger.unanswered(), async (memo) => {
      let status = await send(this.#balancer.url, memo, this.#ledger);
      for (; status !== 200 && performance.now() < limit; await pause(POLL_MS)) {
        signal.throwIfAborted();
        status = await send(this.#balancer.url, memo, this.#ledger);
      }
      if (status !== 200) this.#ledger.find('stuck', memo, `could not be delivered (${status})`);
    });
  }

  async #untilQuiet(watchers: Watchers): Promise<void> {
    await this.#stage.untilTransactionsEnd();
    const limit = performance.now() + QUIET_WITHIN_MS;
    for (let moved = Number.NEGATIVE_INFINITY; ; await pause(POLL_MS)) {
      this.#plan.signal.throwIfAborted();
      const left = await watchers.left();
      const unfinished = Object.entries(await this.#comparison.unfinished());
      for (const [what, { length }] of unfinished) if (length > 0) left.push(`${length} ${what} to finish`);
      if (left.length === 0) return;
      if (performance.now() > limit) {
        for (const what of left) this.#find('stuck', what);
        return;
      }
      if (performance.now() - moved < MOVED_EVERY_MS) continue;
      moved = performance.now();
      await this.#stage.moveClockOn();
    }
  }

  async #compare({ registered }: Traffic): Promise<void> {
    const { url } = this.#balancer;
    const { kill, run } = RUN;
    await sweepOrphansOf(this.#env);
    await this.#comparison.settle();
    await this.#comparison.rows(this.#ledger.sent);
    await this.#comparison.suggestions();
    await this.#comparison.content(kill, run);
    await this.#comparison.auditLog(kill, run);
    await this.#comparison.inbox(url);
    await this.#comparison.extracts(url);
    await this.#comparison.packages(url);
    await this.#comparison.zips(url);
    await this.#comparison.documents();
    await this.#comparison.sentOn(kill, run);
    await this.#comparison.bytes(this.#someOf(this.#ledger.sent), url);
    this.#findings.push(...this.#ledger.findings);
    const rows = await this.#stage.sql<{ key: string }>(`SELECT municipality || ' ' || case_id AS key FROM cases`);
    const cases = new Set(rows.map(({ key }) => key));
    for (const { municipality, caseId } of registered)
      if (!cases.has(`${municipality} ${caseId}`)) this.#find('lost', `case ${caseId} of ${municipality}`);
  }

  /** To read them all through the API would take longer than all the rest. */
  #someOf(sent: readonly SentMemo[]): readonly SentMemo[] {
    const share = READ_AGAIN / Math.max(sent.length, 1);
    return sent.filter(() => this.#random.chance(share));
  }

  /** Who was neither killed nor paused has no error in its log. */
  #readLogs(): void {
    for (const copy of this.#all) {
      if (this.#disturbed.has(copy)) continue;
      for (const fault of copy.faults) this.#find('failed', `${copy.service} ${fault}`);
      for (const line of copy.complaints)
        if (weightOf(line) === 'error') this.#find('failed', `${copy.service}: ${JSON.stringify(line)}`);
    }
  }
}
