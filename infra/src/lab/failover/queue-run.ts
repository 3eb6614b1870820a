import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { type Env, QueueConfig, readConfig } from '@indbakke/shared/config';
import { createLog } from '@indbakke/shared/log';
import { openQueues, type Queues } from '@indbakke/shared/queue';
import { queueServersOf } from '@indbakke/shared/service';
import { checkedFetch } from '../../testkit/checked-fetch.js';
import { InboxClient } from '../../testkit/inbox-client.js';
import { repeatChanges, sendAgain } from '../crash/again.js';
import { Comparison } from '../crash/compare.js';
import { Helper, lastingPort } from '../crash/feed/children.js';
import { compareFeed } from '../crash/feed/compare.js';
import { type Received, saved } from '../crash/feed/lines.js';
import { leftOf, recordedIn } from '../crash/feed/recorded.js';
import type { Kill } from '../crash/kills.js';
import { Ledger } from '../crash/ledger.js';
import { Load, type LoadStyle } from '../crash/load.js';
import { Stage, withPostgres } from '../crash/stage.js';
import { type Victim, Victims } from '../crash/victims.js';
import { MUNICIPALITIES, REGISTERED } from '../crash/write-memos.js';
import { Random } from '../random.js';
import { askForFiles } from './files.js';
import type { FailoverOutcome, FailoverPlan, FailoverRow } from './main.js';

/** A queue that things happen to. */
export interface QueueUnderTest {
  /** Settings of the services, at the start. */
  readonly env: Env;
  /** What happens to it, in turn. */
  readonly blows: readonly Blow[];
  close(): Promise<void>;
}

export interface Blow {
  /** As the table names it. */
  readonly what: string;
  /** Under load, before files are asked for. */
  prepare?(services: Services): Promise<void>;
  /** Under load, with all kinds of jobs under way. Resolves when the queue can be used again. */
  strike(services: Services): Promise<void>;
  /** After it, without load: makes ready for the next one. */
  mend?(): Promise<void>;
  /** More columns of the table. */
  figures?(): Promise<FailoverRow> | FailoverRow;
}

/** The processes that use the queue. */
export interface Services {
  /** Starts others with these settings, and kills those that ran before. */
  replace(env: Env): Promise<void>;
  /** The queue that they have now, or had with other settings. */
  withQueues<T>(env: Env, work: (queues: Queues) => Promise<T>): Promise<T>;
}

/** Each has receiver, journaler and archiver. */
const PROCESSES = 2;
/** What findings of the crash lab are filed under. */
const KILL: Kill = 'random';
const STUCK_AFTER_MS = 150_000;
const POLL_MS = 100;
const REST_MS = 50;
const LASTS_MS = 600_000;
const STARTED_WITHIN_MS = 1_500;
const NEVER = '0001-01-01T00:00:00Z';

/** Lets the blows fall on a queue under load, each as often as the rounds allow, and compares. */
export function playQueue(
  plan: FailoverPlan,
  open: (folder: string) => Promise<QueueUnderTest>,
): Promise<FailoverOutcome> {
  return withPostgres(async (postgres) => {
    const stage = await Stage.open(postgres, 'failover');
    try {
      const queue = await open(stage.folder);
      try {
        return await new QueueRun(stage, queue, plan).play();
      } finally {
        await queue.close();
      }
    } finally {
      await stage.close();
    }
  });
}

class QueueRun implements Services {
  readonly #stage: Stage;
  readonly #queue: QueueUnderTest;
  readonly #plan: FailoverPlan;
  readonly #ledger = new Ledger();
  readonly #comparison: Comparison;
  readonly #victims: Victims;
  readonly #hookFile: string;
  /** Settings of the processes that run now. */
  #env: Env;
  #running: Victim[] = [];
  #hook: Helper | undefined;
  /** How long each delivery of the round took, and how many were refused or got no answer. */
  #took: number[] = [];
  #refused = 0;

  constructor(stage: Stage, queue: QueueUnderTest, plan: FailoverPlan) {
    this.#stage = stage;
    this.#queue = queue;
    this.#plan = plan;
    this.#comparison = new Comparison(stage, this.#ledger);
    this.#victims = new Victims({ ...stage.env, WEBHOOK_ALLOW: '127.0.0.1' }, undefined); // the hook is here
    this.#hookFile = join(stage.folder, 'hook.jsonl');
    this.#env = queue.env;
  }

  async play(): Promise<FailoverOutcome> {
    try {
      await this.#begin();
      const began: { what: string; at: string; columns: FailoverRow }[] = [];
      for (let round = 0; round < this.#plan.rounds; round += 1) {
        const [now] = await this.#stage.sql<{ at: string }>('SELECT clock_timestamp()::text AS at');
        const blow = this.#queue.blows[round % this.#queue.blows.length] as Blow;
        began.push({ what: blow.what, at: now?.at ?? NEVER, columns: await this.#round(round, blow) });
      }
      await this.#end();
      const rows = began.map(async ({ what, at, columns }, n) => ({
        what,
        ...columns,
        ...(await this.#suggestionsBetween(at, began[n + 1]?.at ?? 'infinity')),
      }));
      return { rows: await Promise.all(rows), ledger: this.#ledger };
    } finally {
      await Promise.all([this.#victims.end(), this.#hook?.kill()]);
    }
  }

  async replace(env: Env): Promise<void> {
    const before = this.#running;
    this.#env = env;
    await this.#start();
    await Promise.all(before.map((victim) => victim.kill()));
  }

  async withQueues<T>(env: Env, work: (queues: Queues) => Promise<T>): Promise<T> {
    const config = readConfig(QueueConfig, { ...this.#stage.env, ...env });
    const queues = openQueues({ ...(await queueServersOf(config)), log: createLog('failover', 'silent') });
    try {
      return await work(queues);
    } finally {
      await queues.close();
    }
  }

  get #url(): string {
    return this.#running[0]?.url ?? '';
  }

  async #start(): Promise<void> {
    const victims = Array.from({ length: PROCESSES }, () => this.#victims.next());
    for (const victim of victims) await victim.start({ env: this.#env });
    this.#running = victims;
  }

  /** Starts the services, with a webhook for all events of each municipality. */
  async #begin(): Promise<void> {
    await this.#start();
    const port = await lastingPort(new Random(this.#plan.seed).fork('port'));
    const secrets: Record<string, string> = {};
    for (const municipality of MUNICIPALITIES) {
      const token = await this.#stage.systemToken(municipality);
      const core = new InboxClient(this.#url, token, this.#plan.signal);
      await core.upsertCase(REGISTERED.caseId, { status: 'open' });
      await core.registerSentMessage(REGISTERED.messageUUID, { caseId: REGISTERED.caseId });
      secrets[municipality] = await core.createWebhook(`http://127.0.0.1:${port}/${municipality}`);
    }
    this.#hook = new Helper('hook', { port, secrets, file: this.#hookFile });
    await this.#hook.start();
  }

  async #round(round: number, blow: Blow): Promise<FailoverRow> {
    this.#plan.report(`round ${round + 1}: ${blow.what}…`);
    [this.#took, this.#refused] = [[], 0];
    const random = new Random(this.#plan.seed + round * 7_919);
    const load = this.#load(random, round);
    try {
      await this.#rest(random);
      await blow.prepare?.(this);
      const [stage, ledger, url] = [this.#stage, this.#ledger, this.#url];
      await askForFiles({ stage, ledger, url, round, kill: KILL, random: random.fork('files') });
      await blow.strike(this);
      await this.#rest(random);
    } finally {
      await load.stop();
    }
    await blow.mend?.();
    const { signal } = this.#plan;
    const again = { stage: this.#stage, ledger: this.#ledger, url: this.#url, random, signal };
    await sendAgain(again);
    await repeatChanges(again, round);
    await this.#stage.untilTransactionsEnd();
    await this.#comparison.settle();
    await this.#comparison.rows(this.#ledger.ofRun(round));
    const memos = this.#ledger.ofRun(round);
    return {
      letters: memos.length,
      receipts: memos.reduce((sum, { receipts }) => sum + receipts.size, 0),
      'not answered 200': this.#refused,
      'longest delivery, ms': Math.round(Math.max(0, ...this.#took)),
      ...(await blow.figures?.()),
    };
  }

  #load(random: Random, run: number): Load {
    const of = { random: random.fork('load'), run, kill: KILL };
    return new Load(this.#stage, this.#ledger, this.#url, of, this.#style());
  }

  #style(): LoadStyle {
    return {
      memosEach: Number.POSITIVE_INFINITY,
      restMs: REST_MS,
      works: ['journalize', 'journalize', 'bulk', 'zip', 'reject', 'send-on'],
      overSoap: 0.2,
      documents: 0.15,
      lastsMs: LASTS_MS,
      ask: checkedFetch,
      onDelivery: (status, tookMs) => {
        this.#took.push(tookMs);
        if (status !== 200) this.#refused += 1;
      },
      onError() {},
    };
  }

  #rest(random: Random): Promise<void> {
    return pause(random.between(STARTED_WITHIN_MS / 2, STARTED_WITHIN_MS), undefined, { signal: this.#plan.signal });
  }

  /** Makes everything due, waits until all is quiet, and compares everything. */
  async #end(): Promise<void> {
    this.#plan.report('waiting until all is done, and comparing…');
    const run = this.#plan.rounds - 1;
    await this.#untilQuiet(run);
    await this.#comparison.rows(this.#ledger.sent);
    await this.#comparison.suggestions();
    await this.#suggestedOnce();
    await this.#comparison.auditLog(KILL, run);
    await this.#comparison.inbox(this.#url);
    await this.#comparison.extracts(this.#url);
    await this.#comparison.packages(this.#url);
    await this.#comparison.zips(this.#url);
    await this.#comparison.documents();
    await this.#comparison.sentOn(KILL, run);
    await this.#comparison.bytes(this.#ledger.sent, this.#url);
    await this.#webhooks(run);
  }

  async #untilQuiet(run: number): Promise<void> {
    await this.#stage.moveClockOn();
    await this.#stage.sql(`UPDATE webhook_deliveries SET next_enqueue_at = now() WHERE status = 'waiting'`);
    for (const limit = performance.now() + STUCK_AFTER_MS; ; await pause(POLL_MS)) {
      this.#plan.signal.throwIfAborted();
      const unfinished = await this.#comparison.unfinished();
      const left = [...(await leftOf(this.#stage, new Map())), ...(await this.#jobsLeft())];
      const isQuiet = left.length === 0 && Object.values(unfinished).every(({ length }) => length === 0);
      if (!isQuiet && performance.now() < limit) continue;
      this.#comparison.noteUnfinished(unfinished, KILL, run);
      for (const what of left) this.#ledger.find('stuck', { uuid: what, kill: KILL, run }, 'it is not done');
      return;
    }
  }

  /** Jobs that no worker has ended, in words. */
  #jobsLeft(): Promise<string[]> {
    return this.withQueues(this.#env, async (queues) => {
      const counted = queues.all().map(async (queue) => {
        const counts = await queue.getJobCounts('waiting', 'prioritized', 'active', 'delayed');
        return Object.entries(counts).flatMap(([state, count]) => (count ? [`${count} ${state} ${queue.name}`] : []));
      });
      return (await Promise.all(counted)).flat();
    });
  }

  async #suggestedOnce(): Promise<void> {
    const again = await this.#stage.sql<{ external_id: string; times: number }>(
      `SELECT m.external_id, count(*)::int AS times FROM events e JOIN messages m ON m.id = e.message_id
       WHERE e.type = 'suggested' GROUP BY m.id HAVING count(*) > 1`,
    );
    for (const { external_id, times } of again) {
      const [memo] = this.#ledger.byUuid.get(external_id) ?? [];
      const run = this.#plan.rounds - 1;
      this.#ledger.find('twice', memo ?? { uuid: external_id, kill: KILL, run }, `a case is suggested ${times} times`);
    }
  }

  async #webhooks(run: number): Promise<void> {
    const { committed, messages } = await recordedIn(this.#stage);
    const answered = [...this.#ledger.changes].flatMap(({ answer }) => answer ?? []);
    const received = saved<Received>(this.#hookFile);
    for (const { verdict, what } of compareFeed({ committed, messages, answered, consumers: {}, received }))
      this.#ledger.find(verdict === 'stuck' ? 'stuck' : 'lost', { uuid: 'webhooks', kill: KILL, run }, what);
  }

  async #suggestionsBetween(from: string, to: string): Promise<FailoverRow> {
    const [row] = await this.#stage.sql<{ suggested: number; longest: number }>(
      `SELECT count(*)::int AS suggested,
         coalesce(max(extract(epoch FROM suggestion_run_at - received_at)), 0)::float8 AS longest
       FROM messages WHERE suggestion_run_at IS NOT NULL AND received_at >= $1::timestamptz AND received_at < $2::timestamptz`,
      [from, to],
    );
    return { 'suggestion runs': row?.suggested ?? 0, 'longest wait for one, s': Math.round(row?.longest ?? 0) };
  }
}
