import { setTimeout as pause } from 'node:timers/promises';
import type { Finding } from '../copies/run.js';
import type { Stage } from '../crash/stage.js';
import { Dubu, type DubuOutcome } from '../dubu/dubu.js';
import { Random } from '../random.js';
import type { SftpPlace } from '../simulator/sftp.js';
import { type LetterRecord, Simulator, type SimulatorReport } from '../simulator/simulator.js';
import { Balancer } from '../upgrade/balancer.js';
import type { LogLine } from '../upgrade/copy.js';
import { Fleet } from '../upgrade/fleet.js';
import { runCommandOf, type Version } from '../upgrade/version.js';
import { SoakComparison } from './compare.js';
import { judge, type Trend, type Window } from './flat.js';
import { cpuByPart, type Sample, Sampler } from './samples.js';
import { openSftp } from './sftp.js';

export interface SoakPlan {
  readonly seconds: number;
  /** Letters a second. */
  readonly rate: number;
  readonly seed: number;
  /** What runs at first; it is replaced by `to`. */
  readonly from: Version;
  readonly to: Version;
  readonly signal: AbortSignal;
  readonly report: (line: string) => void;
}

export interface SoakOutcome {
  readonly findings: readonly Finding[];
  /** What was done to the parts, and when, in seconds since the load began. */
  readonly disturbances: readonly Disturbance[];
  readonly trends: readonly Trend[];
  readonly samples: readonly Sample[];
  /** Processor time in all, in ms. */
  readonly cpu: ReadonlyMap<string, number>;
  /** How long there was load. */
  readonly seconds: number;
  /** How long it then took until nothing was left to do. */
  readonly quietAfterSeconds: number;
  readonly sent: SimulatorReport;
  /** Of the letters sent, those of 60 MB and more. */
  readonly largeLetters: number;
  readonly core: DubuOutcome;
  /** Files of the content store that belonged to nothing: before anything was killed, and in the end. */
  readonly orphans: { readonly before: number; readonly end: number };
  /** Bytes of the database in the end. */
  readonly databaseBytes: number;
  readonly warnings: ReadonlyMap<string, number>;
}

interface Disturbance {
  readonly at: number;
  readonly what: string;
}

const COPIES = 2;
/** Shares of the time: undisturbed, restarts, rolling upgrade, and undisturbed again for the rest. */
const UNDISTURBED = 0.4;
const RESTARTS = 0.1;
const UPGRADE = 0.1;
/** One letter in so many is handled by a caseworker. */
const HANDLED_ONE_IN = 20;
const CASEWORKERS = 40;
/** Calls of a caseworker for a letter, about: list, read, file, change. */
const CALLS_A_LETTER = 4;
/** One letter in so many is large: 60 to 99.5 MB. */
const LARGE_ONE_IN = 2_500;
const LARGE_BYTES = 40_000_000; // a document of 60 MB has fewer as a file
/** Bytes of the others: small mail. */
const SMALL_SIZES = [20_000, 30_000, 50_000, 100_000];
const CHANNELS = { rest: 0.65, form: 0.15, soap: 0.15, sf2900: 0.05 };
const CONCURRENCY = 64;
const SAMPLES = 400;
const FEWEST_MS_BETWEEN_SAMPLES = 1_000;
const REPORT_EVERY_MS = 15_000;
/** After PostgreSQL is back. */
const CONNECTED_AGAIN_WITHIN_MS = 30_000;
/** After a part is back, everything is as before. */
const BACK_WITHIN_MS = 60_000;
/** Of what caseworkers do. */
const MOST_BY_COLLEAGUES = 0.05;
const FEW_COLLEAGUES = 20;
/** Letters whose files are read in the end, about. */
const READ_AGAIN = 500;
/** Letters that receivers are storing at a time, at most. */
const MOST_UNDER_WAY = CONCURRENCY;
/** That leave what was being stored: a receiver and PostgreSQL. */
const KILLS = 2;
const QUIET_WITHIN_MS = 600_000;
const LEFT_EVERY_MS = 3_000;
const MOVED_EVERY_MS = 30_000;

/** Runs two copies of each service for hours, with senders and a core, restarts each part, upgrades, and compares everything. */
export async function playSoak(stage: Stage, plan: SoakPlan): Promise<SoakOutcome> {
  const run = new SoakRun(stage, plan, await Balancer.open(), await openSftp(stage.folder));
  try {
    await run.begin();
    await run.load();
    return await run.end();
  } finally {
    await run.close();
  }
}

class SoakRun {
  readonly #stage: Stage;
  readonly #plan: SoakPlan;
  readonly #balancer: Balancer;
  readonly #fleet: Fleet;
  readonly #sftp: SftpPlace;
  readonly #random: Random;
  readonly #comparison: SoakComparison;
  readonly #findings: Finding[] = [];
  readonly #disturbances: Disturbance[] = [];
  #orphansBefore = 0;
  /** When parts may be away; Unix time in ms. */
  readonly #away: { readonly from: number; readonly to: number }[] = [];
  readonly #windows: Window[] = [];
  #began = 0;
  /** When PostgreSQL was killed, and when services were connected again; Unix time in ms. */
  #downFrom = Number.POSITIVE_INFINITY;
  #downTo = Number.NEGATIVE_INFINITY;
  #sampler: Sampler | undefined;
  #simulator: Simulator | undefined;
  #dubu: Dubu | undefined;

  constructor(stage: Stage, plan: SoakPlan, balancer: Balancer, sftp: Awaited<ReturnType<typeof openSftp>>) {
    this.#stage = stage;
    this.#plan = plan;
    this.#balancer = balancer;
    this.#sftp = sftp.place;
    const { SMALL_CONTENT_BYTES: _, ...settings } = stage.env; // as in production
    // Few connections, since there are many processes.
    const env = { ...settings, ...sftp.env, DATABASE_CONNECTIONS: '8', WEBHOOK_ALLOW: '127.0.0.1' };
    this.#fleet = new Fleet({ env, copies: COPIES, signal: plan.signal, report: plan.report }, balancer);
    this.#random = new Random(plan.seed);
    this.#comparison = new SoakComparison(stage);
  }

  async begin(): Promise<void> {
    const { from, rate, seed, seconds, signal, report } = this.#plan;
    const { municipalities } = this.#stage;
    report(`starting ${COPIES} copies of each service for ${municipalities.length} municipalities…`);
    await this.#fleet.startAll(from);
    const { url } = this.#balancer;
    const handledPerSecond = rate / HANDLED_ONE_IN;
    this.#dubu = await Dubu.start(this.#stage, {
      url,
      caseworkers: CASEWORKERS,
      thinkMs: (CASEWORKERS * 1_000) / (handledPerSecond * CALLS_A_LETTER),
      random: this.#random.fork('core'),
      signal,
    });
    const { sentMessages } = this.#dubu;
    const everyMs = Math.max(FEWEST_MS_BETWEEN_SAMPLES, (seconds * 1_000) / SAMPLES);
    this.#sampler = new Sampler(this.#stage, () => this.#fleet.running, everyMs);
    this.#began = performance.now();
    this.#simulator = await Simulator.start({
      url,
      municipalities,
      rate,
      seed,
      isFlat: true,
      largeShare: 1 / LARGE_ONE_IN,
      sizes: SMALL_SIZES,
      channels: CHANNELS,
      sftp: this.#sftp,
      concurrency: CONCURRENCY,
      stopSeconds: QUIET_WITHIN_MS / 1_000,
      sentMessages,
      signal,
    });
  }

  async load(): Promise<void> {
    const { seconds } = this.#plan;
    const reporting = setInterval(() => this.#report(), REPORT_EVERY_MS);
    try {
      await this.#undisturbed('before', seconds * UNDISTURBED);
      this.#orphansBefore = await this.#comparison.orphans();
      await this.#during(seconds * RESTARTS, this.#restarts());
      await this.#during(seconds * UPGRADE, [['a rolling upgrade', () => this.#upgrade()]]);
      await this.#undisturbed('after', seconds * (1 - UNDISTURBED - RESTARTS - UPGRADE));
    } finally {
      clearInterval(reporting);
    }
  }

  /** Waits until all is done, and compares everything. */
  async end(): Promise<SoakOutcome> {
    const { report } = this.#plan;
    const [simulator, dubu, sampler] = [this.#simulator as Simulator, this.#dubu as Dubu, this.#sampler as Sampler];
    const seconds = this.#elapsed();
    await sampler.stop();
    report('no new letters; waiting until all is done…');
    const [sent] = await this.#whileTheClockMoves(Promise.all([simulator.stop(), dubu.stop()]));
    const quietAfterSeconds = await this.#untilQuiet(dubu, seconds);
    report('comparing…');
    const letters = [...simulator.letters];
    await this.#comparison.letters(letters);
    await this.#comparison.inbox(this.#balancer.url);
    await this.#comparison.bytes(this.#someOf(letters), this.#balancer.url);
    const orphans = await this.#comparison.orphans();
    await this.#comparison.leftBehind();
    const core = await dubu.compare();
    const [size] = await this.#stage.sql<{ bytes: number }>(
      'SELECT pg_database_size(current_database())::float8 AS bytes',
    );
    await this.#fleet.stop();
    const { trends, missing } = judge(sampler.samples, this.#windows);
    for (const what of missing) this.#find('not judged', what);
    if (sent.filesNotFetched > 0) this.#find('stuck', `${sent.filesNotFetched} files wait on the SFTP server`);
    if (this.#orphansBefore > MOST_UNDER_WAY)
      this.#find('grew', `${this.#orphansBefore} files belong to nothing, before anything was killed`);
    if (orphans > MOST_UNDER_WAY * (KILLS + 1)) this.#find('grew', `${orphans} files belong to nothing in the end`);
    this.#judgeInterruptions(core);
    for (const { what, window, first, last, unit, isFlat } of trends)
      if (!isFlat) this.#find('grew', `${what}, ${window}: from ${first.toFixed(0)} to ${last.toFixed(0)} ${unit}`);
    this.#readLogs();
    return {
      findings: [
        ...this.#findings,
        ...this.#comparison.findings,
        ...core.findings,
        ...sent.findings.map(({ what, messageUUID }) => ({ verdict: 'failed', what: `${messageUUID ?? ''} ${what}` })),
      ],
      disturbances: this.#disturbances,
      trends,
      samples: sampler.samples,
      cpu: cpuByPart(sampler.samples),
      seconds,
      quietAfterSeconds,
      sent,
      largeLetters: letters.filter(({ bytes }) => bytes >= LARGE_BYTES).length,
      core,
      orphans: { before: this.#orphansBefore, end: orphans },
      databaseBytes: size?.bytes ?? 0,
      warnings: this.#fleet.countComplaints('warn', (line) => !this.#isWhileDown(line)),
    };
  }

  async close(): Promise<void> {
    this.#balancer.close();
    this.#fleet.kill();
    await this.#sftp.close();
    await this.#sampler?.stop();
    await this.#dubu?.kill();
  }

  /** Each part once: a copy of each service is killed and another one started; PostgreSQL is killed and restarted. */
  #restarts(): [string, () => Promise<void>][] {
    const services = [...new Set(this.#fleet.running.map(({ service }) => service))];
    return [
      ...services.map((service): [string, () => Promise<void>] => [
        `one ${service} is killed`,
        async () => {
          const copy = this.#random.pick(this.#fleet.running.filter((each) => each.service === service));
          await this.#fleet.killAndReplace(copy);
        },
      ]),
      [
        'PostgreSQL is killed',
        async () => {
          this.#downFrom = Date.now();
          await this.#stage.killPostgres();
          await this.#stage.restartPostgres();
          this.#downTo = Date.now() + CONNECTED_AGAIN_WITHIN_MS;
        },
      ],
    ];
  }

  /** The steps of docs/operations.md. */
  async #upgrade(): Promise<void> {
    const { to } = this.#plan;
    await runCommandOf(to, 'migrate', [], { DATABASE_OWNER_URL: this.#stage.ownerUrl });
    await this.#fleet.replaceAll(to);
  }

  /** One after the other, spread over so many seconds; longer, if they take longer. */
  async #during(seconds: number, disturbances: readonly [string, () => Promise<void>][]): Promise<void> {
    const end = this.#elapsed() + seconds;
    for (const [n, [what, disturb]] of disturbances.entries()) {
      const at = this.#elapsed();
      this.#plan.report(`${what}…`);
      this.#disturbances.push({ at, what });
      const from = Date.now();
      await disturb();
      this.#away.push({ from, to: Date.now() + BACK_WITHIN_MS });
      const left = end - this.#elapsed();
      await this.#wait(left / (disturbances.length - n));
    }
  }

  async #undisturbed(name: string, seconds: number): Promise<void> {
    const from = this.#elapsed();
    await this.#wait(seconds);
    this.#windows.push({ name, from, to: this.#elapsed() });
  }

  async #wait(seconds: number): Promise<void> {
    await pause(Math.max(0, seconds * 1_000), undefined, { signal: this.#plan.signal });
  }

  #elapsed(): number {
    return (performance.now() - this.#began) / 1_000;
  }

  #report(): void {
    const { sent, acknowledged, open, resent } = (this.#simulator as Simulator).progress;
    const changes = this.#dubu?.changes ?? 0;
    this.#plan.report(
      `${this.#elapsed().toFixed(0)} of ${this.#plan.seconds} s: ${sent} letters sent, ${acknowledged} acknowledged, ${open} open, ${resent} sent again, ${changes} changes`,
    );
  }

  /** What lost jobs have left undone becomes due now, and not within hours. */
  async #whileTheClockMoves<Result>(work: Promise<Result>): Promise<Result> {
    const hasEnded = work.then(() => true);
    const isLong = () => pause(MOVED_EVERY_MS, false, { ref: false });
    while (!(await Promise.race([hasEnded, isLong()]))) await this.#stage.moveClockOn();
    return work;
  }

  /** @returns seconds since the load ended */
  async #untilQuiet(dubu: Dubu, since: number): Promise<number> {
    const limit = performance.now() + QUIET_WITHIN_MS;
    let moved = performance.now();
    let reported = performance.now();
    for (;;) {
      this.#plan.signal.throwIfAborted();
      const left = [...(await dubu.left()), ...(await this.#comparison.left())];
      if (left.length === 0) break;
      if (performance.now() > limit) {
        for (const what of left) this.#find('stuck', what);
        break;
      }
      if (performance.now() - reported > REPORT_EVERY_MS) {
        this.#plan.report(`left: ${left.join(', ')}`);
        reported = performance.now();
      }
      if (performance.now() - moved > MOVED_EVERY_MS) {
        await this.#stage.moveClockOn();
        moved = performance.now();
      }
      await pause(LEFT_EVERY_MS);
    }
    return this.#elapsed() - since;
  }

  /** Nobody is away but while a part is killed, and colleagues seldom are at the same letter. */
  #judgeInterruptions({ interruptions, done }: DubuOutcome): void {
    const isExpected = (at: number) => this.#away.some(({ from, to }) => from <= at && at <= to);
    const strange = interruptions.filter(({ at, by }) => by === 'away' && !isExpected(at));
    for (const { at, what } of strange)
      this.#find('failed', `at ${new Date(at).toISOString()}, nobody answered: ${what}`);
    const times = [...done.values()].reduce((sum, count) => sum + count, 0);
    const byColleagues = interruptions.filter(({ by }) => by === 'colleague').map(({ what }) => what);
    if (byColleagues.length <= Math.max(FEW_COLLEAGUES, times * MOST_BY_COLLEAGUES)) return;
    const answers = [...new Set(byColleagues)].map(
      (one) => `${one}, ${byColleagues.filter((each) => each === one).length} times`,
    );
    this.#find(
      'failed',
      `${byColleagues.length} of ${times} caseworkers’ deeds met a colleague: ${answers.join('; ')}`,
    );
  }

  /** To read them all through the API would take longer than the load. */
  #someOf(letters: readonly LetterRecord[]): readonly LetterRecord[] {
    const random = this.#random.fork('read again');
    const share = READ_AGAIN / Math.max(letters.length, 1);
    return letters.filter(({ bytes }) => bytes < LARGE_BYTES && random.chance(share));
  }

  /** No copy may have an error in its log, but for those while PostgreSQL was down. */
  #readLogs(): void {
    for (const fault of this.#fleet.faults()) this.#find('failed', fault);
    for (const [what, count] of this.#fleet.countComplaints('error', (line) => !this.#isWhileDown(line)))
      this.#find('failed', `${what}, ${count} times`);
  }

  #isWhileDown({ time }: LogLine): boolean {
    const at = Date.parse(time);
    return this.#downFrom <= at && at <= this.#downTo;
  }

  #find(verdict: string, what: string): void {
    this.#findings.push({ verdict, what });
  }
}
