import { setTimeout as pause } from 'node:timers/promises';
import { Comparison } from '../crash/compare.js';
import { Ledger, type SentMemo } from '../crash/ledger.js';
import type { Stage } from '../crash/stage.js';
import { Random } from '../random.js';
import { Balancer } from './balancer.js';
import { Fleet } from './fleet.js';
import type { Phase } from './table.js';
import { RUN, Traffic } from './traffic.js';
import { runCommandOf, type Version } from './version.js';
import { Watchers } from './watchers.js';

export interface UpgradePlan {
  readonly from: Version;
  readonly to: Version;
  /** How long there is load before the migration, between it and the first new copy, and after the last one: a third each. */
  readonly seconds: number;
  /** Whether the old version comes back once on the new schema. */
  readonly isBack: boolean;
  readonly seed: number;
  readonly signal: AbortSignal;
  readonly report: (line: string) => void;
}

export interface UpgradeOutcome {
  readonly phases: readonly Phase[];
  /** What is not as it should be, in words. */
  readonly findings: readonly string[];
  /** Events of the warnings in the logs, and how many. */
  readonly warnings: ReadonlyMap<string, number>;
  readonly figures: Readonly<Record<string, number>>;
}

const COPIES = 2;
const QUIET_WITHIN_MS = 90_000;
const POLL_MS = 200;
/** Letters whose files are read in the end, about. */
const READ_AGAIN = 300;

/** Replaces one version by the other under load, as operators do, and compares what is there with what callers were told. */
export async function playUpgrade(stage: Stage, plan: UpgradePlan): Promise<UpgradeOutcome> {
  const run = new UpgradeRun(stage, plan, await Balancer.open());
  try {
    await run.begin();
    await run.upgrade();
    return await run.end();
  } finally {
    await run.close();
  }
}

class UpgradeRun {
  readonly #stage: Stage;
  readonly #plan: UpgradePlan;
  readonly #balancer: Balancer;
  readonly #fleet: Fleet;
  readonly #ledger = new Ledger();
  readonly #random: Random;
  readonly #comparison: Comparison;
  readonly #findings: string[] = [];
  readonly #lengths = new Map<string, number>();
  #watchers: Watchers | undefined;
  #traffic: Traffic | undefined;

  constructor(stage: Stage, plan: UpgradePlan, balancer: Balancer) {
    this.#stage = stage;
    this.#plan = plan;
    this.#balancer = balancer;
    // Few connections, since there are many processes.
    const env = { ...stage.env, DATABASE_CONNECTIONS: '8', WEBHOOK_ALLOW: '127.0.0.1' };
    this.#fleet = new Fleet({ env, copies: COPIES, signal: plan.signal, report: plan.report }, balancer);
    this.#random = new Random(plan.seed);
    this.#comparison = new Comparison(stage, this.#ledger);
  }

  /** Starts the old version, a webhook for all events of each municipality, and consumers of the feed. */
  async begin(): Promise<void> {
    const { from, signal } = this.#plan;
    await this.#fleet.startAll(from);
    this.#watchers = await Watchers.start(this.#stage, this.#balancer.url, this.#random, signal);
  }

  /** The steps of docs/operations.md, under load. */
  async upgrade(): Promise<void> {
    const { from, to, isBack } = this.#plan;
    const rest = (this.#plan.seconds * 1_000) / 3;
    const wait = () => pause(rest, undefined, { signal: this.#plan.signal });
    await this.#phase('old version', wait);
    await this.#phase('migration', () => runCommandOf(to, 'migrate', [], { DATABASE_OWNER_URL: this.#stage.ownerUrl }));
    await this.#phase('old version on the new schema', wait);
    await this.#phase('copy by copy', () => this.#fleet.replaceAll(to));
    await this.#phase('new version', wait);
    if (isBack) {
      await this.#phase('a step back, copy by copy', () => this.#fleet.replaceAll(from));
      await this.#phase('old version again', wait);
      await this.#phase('and forward', () => this.#fleet.replaceAll(to));
      await this.#phase('new version again', wait);
    }
    await this.#traffic?.stop();
  }

  /** Waits until all is quiet, compares everything, and stops all copies. */
  async end(): Promise<UpgradeOutcome> {
    const [traffic, watchers] = [this.#traffic as Traffic, this.#watchers as Watchers];
    await this.#untilQuiet(watchers);
    await this.#compare(traffic);
    const answered = [...this.#ledger.changes].flatMap(({ answer }) => answer ?? []);
    const { findings, committed, messages, webhooks } = await watchers.compare(answered);
    for (const { verdict, what } of findings) this.#findings.push(`${verdict}: ${what}`);
    await this.#fleet.stop();
    this.#readLogs();
    const phases = [...traffic.seen].map(([name, seen]) => ({ ...seen, name, seconds: this.#lengths.get(name) ?? 0 }));
    for (const [why, count] of traffic.refusals) this.#findings.push(`refused: ${why}, ${count} times`);
    return {
      phases,
      findings: this.#findings,
      warnings: this.#fleet.countComplaints('warn'),
      figures: {
        copies: this.#fleet.started,
        messages,
        receipts: this.#ledger.sent.filter(({ receipts }) => receipts.size > 0).length,
        changes: answered.length,
        cases: traffic.registered.length,
        events: committed.length,
        webhooks,
        slowest_delivery_ms: Math.round(Math.max(...phases.flatMap(({ took }) => took))),
      },
    };
  }

  async close(): Promise<void> {
    this.#balancer.close();
    this.#fleet.kill();
    await this.#traffic?.stop();
    await this.#watchers?.kill();
  }

  async #phase(name: string, work: () => Promise<void>): Promise<void> {
    this.#plan.report(`${name}…`);
    this.#traffic ??= new Traffic(this.#stage, this.#ledger, this.#balancer.url, this.#random.fork('traffic'), name);
    this.#traffic.begin(name);
    const began = performance.now();
    await work();
    this.#lengths.set(name, Math.round((performance.now() - began) / 100) / 10);
  }

  async #untilQuiet(watchers: Watchers): Promise<void> {
    this.#plan.report('waiting until all is done…');
    for (const limit = performance.now() + QUIET_WITHIN_MS; ; await pause(POLL_MS)) {
      this.#plan.signal.throwIfAborted();
      const left = await watchers.left();
      const unfinished = Object.entries(await this.#comparison.unfinished());
      for (const [what, { length }] of unfinished) if (length > 0) left.push(`${length} ${what} to finish`);
      if (left.length === 0) return;
      if (performance.now() < limit) continue;
      this.#findings.push(...left.map((what) => `stuck: ${what}`));
      return;
    }
  }

  async #compare({ registered }: Traffic): Promise<void> {
    this.#plan.report('comparing…');
    const { url } = this.#balancer;
    const { kill, run } = RUN;
    await this.#comparison.settle();
    await this.#comparison.rows(this.#ledger.sent);
    await this.#comparison.suggestions();
    await this.#comparison.content(kill, run);
    await this.#comparison.auditLog(kill, run);
    await this.#comparison.inbox(url);
    await this.#comparison.bytes(this.#someOf(this.#ledger.sent), url);
    for (const { verdict, what } of this.#ledger.findings) this.#findings.push(`${verdict}: ${what}`);
    const rows = await this.#stage.sql<{ key: string }>(`SELECT municipality || ' ' || case_id AS key FROM cases`);
    const cases = new Set(rows.map(({ key }) => key));
    for (const { municipality, caseId } of registered)
      if (!cases.has(`${municipality} ${caseId}`)) this.#findings.push(`lost: case ${caseId} of ${municipality}`);
  }

  /** To read them all through the API would take longer than the upgrade. */
  #someOf(sent: readonly SentMemo[]): readonly SentMemo[] {
    const share = READ_AGAIN / Math.max(sent.length, 1);
    return sent.filter(() => this.#random.chance(share));
  }

  /** No copy has an error in its log, whatever its version. */
  #readLogs(): void {
    for (const fault of this.#fleet.faults()) this.#findings.push(`failed: ${fault}`);
    for (const [what, count] of this.#fleet.countComplaints('error'))
      this.#findings.push(`failed: ${what}, ${count} times`);
  }
}
