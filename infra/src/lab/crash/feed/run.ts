import { mkdtempSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { InboxClient } from '../../../testkit/inbox-client.js';
import { Random } from '../../random.js';
import type { Point } from '../kills.js';
import type { Stage } from '../stage.js';
import { type Victim, Victims } from '../victims.js';
import { MUNICIPALITIES, REGISTERED } from '../write-memos.js';
import { CONSUMERS, Helper, lastingPort } from './children.js';
import { compareFeed, type FeedFinding, type FeedVerdict } from './compare.js';
import type { FeedFault } from './faults.js';
import { type Got, type Received, saved } from './lines.js';
import { leftOf, recordedIn } from './recorded.js';
import { Writers } from './writers.js';

export interface FeedPlan {
  /** How long it is written and killed. */
  readonly seconds: number;
  readonly seed: number;
  /** redis://… for the queues; on PostgreSQL when absent. */
  readonly queueUrl?: string | undefined;
  readonly fault?: FeedFault | undefined;
  /** What is not done after this time is stuck. */
  readonly stuckAfterMs: number;
  readonly signal: AbortSignal;
  /** Is told now and then how far it is. */
  readonly report: (line: string) => void;
}

/** What was killed or cut, and how often. */
export type Kills = Readonly<Record<'services' | 'atPoint' | 'receiver' | 'consumers' | 'connections', number>>;

export interface FeedOutcome {
  readonly findings: readonly FeedFinding[];
  readonly kills: Kills;
  readonly figures: Readonly<Record<string, number>>;
}

const SERVICES = 2;
const WRITERS = 8;
const POINTS: readonly Point[] = ['positions-written', 'positions-committed', 'webhook-attempted', 'message-committed'];
const POINT_WITHIN_MS = 3_000;
const STARTS = 5;
// From the first kill of each on. A job of killed services is another’s after 15 s.
const EVERY_MS = {
  services: [3_000, 12_000],
  receiver: [1_000, 8_000],
  consumers: [500, 5_000],
  connections: [4_000, 20_000],
} as const;
const REPORT_EVERY_MS = 10_000;
const POLL_MS = 200;
const CLOCK_EVERY_MS = 15_000;

/** Kills whatever numbers, delivers and receives while changes are committed; then compares them with what consumers got. */
export async function playFeed(stage: Stage, plan: FeedPlan): Promise<FeedOutcome> {
  const run = await FeedRun.open(stage, plan);
  try {
    await run.begin();
    await run.kill();
    await run.quiet();
    return await run.outcome();
  } finally {
    await run.end();
  }
}

class FeedRun {
  readonly #stage: Stage;
  readonly #folder: string;
  readonly #plan: FeedPlan;
  readonly #random: Random;
  readonly #victims: Victims;
  readonly #running: Victim[] = [];
  readonly #ports: readonly number[];
  readonly #hookPort: number;
  readonly #helpers: { hook?: Helper; consumers: Helper[] } = { consumers: [] };
  readonly #findings: FeedFinding[] = [];
  readonly #killed = { services: 0, atPoint: 0, receiver: 0, consumers: 0, connections: 0 };
  /** Webhooks that waited for their next attempt when the last kill was over. */
  #late = 0;
  #writers: Writers | undefined;

  private constructor(stage: Stage, plan: FeedPlan, ports: readonly number[], hookPort: number) {
    this.#stage = stage;
    this.#folder = mkdtempSync(join(stage.folder, 'feed-'));
    this.#plan = plan;
    this.#random = new Random(plan.seed);
    this.#ports = ports;
    this.#hookPort = hookPort;
    this.#victims = new Victims(stage.env, plan.fault);
  }

  static async open(stage: Stage, plan: FeedPlan): Promise<FeedRun> {
    const random = new Random(plan.seed).fork('ports');
    const ports: number[] = [];
    for (let n = 0; n < SERVICES; n += 1) ports.push(await lastingPort(random));
    return new FeedRun(stage, plan, ports, await lastingPort(random));
  }

  /** Starts services, receiver, consumers and writers, with a webhook for all events of each municipality. */
  async begin(): Promise<void> {
    for (const index of this.#ports.keys()) await this.#start(index);
    const urls = this.#running.map(({ url }) => url);
    const secrets: Record<string, string> = {};
    const tokens: Record<string, string> = {};
    for (const municipality of MUNICIPALITIES) {
      const token = await this.#stage.systemToken(municipality);
      tokens[municipality] = token;
      const core = new InboxClient(urls[0] as string, token, this.#plan.signal);
      await core.upsertCase(REGISTERED.caseId, { status: 'open' });
      await core.registerSentMessage(REGISTERED.messageUUID, { caseId: REGISTERED.caseId });
      secrets[municipality] = await core.createWebhook(`http://127.0.0.1:${this.#hookPort}/${municipality}`);
    }
    this.#helpers.hook = new Helper('hook', { port: this.#hookPort, secrets, file: this.#fileOf('hook') });
    this.#helpers.consumers = Object.entries(CONSUMERS).map(
      ([name, manner]) => new Helper('consumer', { urls, tokens, file: this.#fileOf(name), manner }),
    );
    await Promise.all([this.#helpers.hook, ...this.#helpers.consumers].map((helper) => helper.start()));
    this.#writers = new Writers(this.#stage, urls, this.#random.fork('writers'), WRITERS);
  }

  async end(): Promise<void> {
    const { hook, consumers } = this.#helpers;
    await Promise.all([this.#victims.end(), hook?.kill(), ...consumers.map((consumer) => consumer.kill())]);
  }

  /** Kills at random until the time is over; then all runs again, and every writer has its last answer. */
  async kill(): Promise<void> {
    const { seconds, signal, report } = this.#plan;
    const began = performance.now();
    const left = () => seconds * 1_000 - (performance.now() - began);
    const repeatedly = async (what: keyof typeof EVERY_MS, kill: (random: Random) => Promise<void>) => {
      const random = this.#random.fork(what);
      const [least, most] = EVERY_MS[what];
      for (let rest = random.between(0, least); rest < left(); rest = random.between(least, most)) {
        await pause(rest, undefined, { signal });
        await kill(random);
      }
      await pause(Math.max(0, left()), undefined, { signal });
    };
    const reporting = setInterval(() => {
      const changes = this.#writers?.answered.length;
      report(
        `${Math.round((performance.now() - began) / 1_000)} of ${seconds} s, ${changes} changes, ${shown(this.#killed)}`,
      );
    }, REPORT_EVERY_MS);
    try {
      await Promise.all([
        repeatedly('services', (random) => this.#killServices(random)),
        repeatedly('receiver', (random) => this.#killReceiver(random)),
        repeatedly('consumers', (random) => this.#killConsumer(random)),
        repeatedly('connections', () => this.#cutConnections()),
      ]);
    } finally {
      clearInterval(reporting);
    }
    await this.#writers?.stop();
    const waiting = `SELECT count(*)::int FROM webhook_deliveries WHERE status = 'waiting'`;
    this.#late = (await this.#stage.sql<{ count: number }>(waiting))[0]?.count ?? 0;
  }

  /** Waits until all is done, with what is due within days made due now. */
  async quiet(): Promise<void> {
    const { signal, report } = this.#plan;
    await this.#stage.untilTransactionsEnd();
    const limit = performance.now() + this.#plan.stuckAfterMs;
    for (let moved = Number.NEGATIVE_INFINITY; ; await pause(POLL_MS)) {
      signal.throwIfAborted();
      const left = await this.#left();
      if (left.length === 0) return;
      if (performance.now() > limit) return this.#find('stuck', left);
      if (performance.now() - moved < CLOCK_EVERY_MS) continue;
      moved = performance.now();
      report(`left: ${left.join(', ')}`);
      await this.#stage.sql(
        `UPDATE webhook_deliveries SET next_enqueue_at = now() WHERE status = 'waiting' AND next_enqueue_at > now()`,
      );
      await this.#stage.sql('UPDATE messages SET next_enqueue_at = now() WHERE suggestion_run_at IS NULL');
    }
  }

  async outcome(): Promise<FeedOutcome> {
    for (const victim of this.#running) this.#noteEnd(victim);
    this.#find('failed', [
      ...this.#helpers.consumers.flatMap(({ faults }) => faults),
      ...(this.#writers?.failures ?? []),
    ]);
    this.#find('lost', await this.#stage.verifyAuditLog());
    const { committed, messages } = await recordedIn(this.#stage);
    const received = saved<Received>(this.#fileOf('hook'));
    const consumers = Object.fromEntries(Object.keys(CONSUMERS).map((name) => [name, saved<Got>(this.#fileOf(name))]));
    const answered = this.#writers?.answered ?? [];
    const findings = compareFeed({ committed, messages, answered, consumers, received });
    const [audit] = await this.#stage.sql<{ rows: number; attempts: number }>(
      `SELECT (SELECT count(*)::int FROM audit_events) AS rows, (SELECT count(*)::int FROM webhook_attempts) AS attempts`,
    );
    const acknowledged = received.filter(({ isSigned }) => isSigned).length;
    const distinct = new Set(received.map(({ webhookId }) => webhookId)).size;
    return {
      findings: [...this.#findings, ...findings],
      kills: this.#killed,
      figures: {
        messages: messages.length,
        answered: answered.length,
        committed: committed.length,
        got_waiting: consumers['a consumer that waits']?.length ?? 0,
        got_polling: consumers['a consumer that polls']?.length ?? 0,
        webhook_attempts: audit?.attempts ?? 0,
        webhooks: distinct,
        webhooks_again: acknowledged - distinct,
        webhooks_late: this.#late,
        audit_rows: audit?.rows ?? 0,
      },
    };
  }

  #left(): Promise<string[]> {
    const got = Object.keys(CONSUMERS).map((name) => [name, saved<Got>(this.#fileOf(name)).length] as const);
    return leftOf(this.#stage, new Map(got));
  }

  #find(verdict: FeedVerdict, all: readonly string[]): void {
    this.#findings.push(...all.map((what) => ({ verdict, what })));
  }

  /** Of services that nobody killed. */
  #noteEnd({ exitStatus }: Victim): void {
    if (exitStatus !== null) this.#find('failed', [`services ended by themselves with status ${exitStatus}`]);
  }

  #fileOf(name: string): string {
    return join(this.#folder, `${name.replaceAll(' ', '-')}.jsonl`);
  }

  /** Several times, since a connection may be cut while it starts. */
  async #start(index: number): Promise<void> {
    const env = {
      PORT: String(this.#ports[index]),
      WEBHOOK_ALLOW: '127.0.0.1',
      ...(this.#plan.queueUrl && { QUEUE_URL: this.#plan.queueUrl }),
    };
    for (let left = STARTS; ; left -= 1) {
      const victim = this.#victims.next();
      this.#running[index] = victim;
      try {
        return await victim.start({ env, areSomeSlow: true });
      } catch (error) {
        await victim.kill();
        if (left === 1) throw error;
      }
    }
  }

  /** One of them or both: each numbers, delivers webhooks, and answers calls. Half the time where it has begun something. */
  async #killServices(random: Random): Promise<void> {
    const indexes = random.chance(0.15) ? [...this.#ports.keys()] : [random.below(SERVICES)];
    await Promise.all(
      indexes.map(async (index) => {
        const victim = this.#running[index] as Victim;
        if (random.chance(0.5)) {
          victim.arm(random.pick(POINTS), random.between(1, 10));
          await Promise.race([victim.died, pause(POINT_WITHIN_MS)]);
          if (!victim.alive) this.#killed.atPoint += 1;
        }
        await victim.kill();
        this.#noteEnd(victim);
        this.#killed.services += 1;
      }),
    );
    await pause(random.between(0, 1_000));
    await Promise.all(indexes.map((index) => this.#start(index)));
  }

  async #killReceiver(random: Random): Promise<void> {
    await this.#helpers.hook?.kill();
    this.#killed.receiver += 1;
    await pause(random.between(0, 2_000));
    await this.#helpers.hook?.start();
  }

  async #killConsumer(random: Random): Promise<void> {
    const consumer = random.pick(this.#helpers.consumers);
    await consumer.kill();
    this.#killed.consumers += 1;
    await consumer.start();
  }

  async #cutConnections(): Promise<void> {
    await this.#stage.cutConnections();
    this.#killed.connections += 1;
  }
}

/** `3 services, 1 atPoint, …` */
function shown(kills: Kills): string {
  return Object.entries(kills)
    .map(([what, count]) => `${count} ${what}`)
    .join(', ');
}
