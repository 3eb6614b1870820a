import { randomUUID } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import { DAY, HOUR, SECOND } from '@indbakke/shared/config';
import { textDocument, writeMemo } from '../../testkit/write-memo.js';
import { Random } from '../random.js';
import { Client, NoAnswer } from './client.js';
import { SimulatedClock } from './clock.js';
import { Contents } from './content.js';
import { Stage } from './fault-stage.js';
import { type Expected, FAULTS, type Fault, type FaultLetterSpec, Misbehaved, Unavailable } from './faults.js';
import { checkInbox, type InboxCheck } from './inbox.js';
import {
  ACCEPT,
  type Call,
  type Channel,
  callOf,
  distributionOf,
  filesOf,
  type Letter,
  type LetterRecord,
  memoOf,
} from './letters.js';
import { Places } from './places.js';
import { channelsOf, checkPlan, hindranceOf, type SimulatorPlan, uncheckedOf } from './plan.js';
import { type Reading, readReceipt } from './receipts.js';
import { type FaultFigures, type Finding, figuresOf, type SimulatorReport, sharedTransmissions } from './report.js';
import { Resends } from './resends.js';
import { HIGHEST_WEIGHT, kindOf, sizeOf, weightAt } from './rhythm.js';
import { SftpPlace } from './sftp.js';

export type { SimulatorTls } from './client.js';
export type { SimulatorInbox } from './inbox.js';
export type { Channel, LetterRecord, LetterStatus } from './letters.js';
export type { SimulatorPlan } from './plan.js';
export type { Finding, SimulatorReport } from './report.js';
export type { SimulatorSftp } from './sftp.js';

export interface SimulatorProgress {
  /** Letters that were offered once or more. */
  readonly sent: number;
  readonly acknowledged: number;
  readonly resent: number;
  /** Those too that wait to be offered. */
  readonly open: number;
  readonly findings: number;
  /** Why the last attempt failed, since when all have. */
  readonly failure: string | undefined;
}

// assumed: how often and when Postkomponenten sends again is not known. That a negative receipt means "send again" is what Digital
// Post’s own push does (digitaliser.dk, news 7142459).
const RESEND_AFTER_SECONDS = [30, 60, 5 * 60, 15 * 60, 3_600, 4 * 3_600];
/** A receiver system that takes no message at all for so long is switched off (DIGVEJ). */
const SWITCHED_OFF_AFTER = 7 * DAY;
/** Once no new letters come. */
const HURRY_MS = 2 * SECOND;
const POLL_MS = 20;
const FAULT_PAUSE_MS = 2 * SECOND;
/** Attempts of a fault, two minutes: a receiver may be away meanwhile. */
const MOST_UNAVAILABLE = 60;
const KEPT_FINDINGS = 1_000;

const PATHS: Readonly<Record<Channel, string>> = {
  rest: '/sf1606/PostModtag',
  form: '/sf1606/PostModtag',
  soap: '/sf1606/soap',
  sf2900: '/sf2900/soap',
};
const LARGE_SHARE = 1 / 500;
const CONCURRENCY = 32;
/** Of the XML around an attachment, about. */
const AROUND_CONTENT = 2_000;

/** Sends letters to a receiver as Serviceplatformen and Digital Post do, and keeps account of each. */
export class Simulator {
  /** Resolves when `limit` letters, and a flood, were begun, and each fault was played once. */
  readonly begun: Promise<void>;
  readonly #plan: SimulatorPlan;
  readonly #random: Random;
  readonly #ofFlood: Random;
  readonly #contents: Contents;
  readonly #clock: SimulatedClock;
  readonly #client: Client;
  readonly #sftp: SftpPlace | undefined;
  readonly #places: Places;
  readonly #resends: Resends;
  readonly #hurried = new Resends([0]);
  readonly #letters = new Map<string, Letter>();
  readonly #findings: Finding[] = [];
  #findingCount = 0;
  readonly #faults = new Map<string, { played: number; failed: number; notPlayed?: string }>();
  readonly #failedAttempts = new Map<string, number>();
  readonly #startedAt = performance.now();
  readonly #arriving = new AbortController();
  readonly #ending = new AbortController();
  readonly #running = new Set<Promise<void>>();
  readonly #loops: Promise<void>[];
  #error: unknown;
  #sent = 0;
  #open = 0;
  #acknowledged = 0;
  #resent = 0;
  /** Since when attempts have failed, all of them; by its clock. */
  #failingSince: number | undefined;
  #lastFailure: string | undefined;
  #isSwitchedOff = false;
  #isHurried = false;
  #weight = { hour: 0, value: 1 };

  /** @throws Error with a sentence when the plan cannot be carried out */
  static async start(plan: SimulatorPlan): Promise<Simulator> {
    checkPlan(plan);
    const { sftp } = plan;
    return new Simulator(plan, sftp && (sftp instanceof SftpPlace ? sftp : await SftpPlace.open(sftp)));
  }

  private constructor(plan: SimulatorPlan, sftp: SftpPlace | undefined) {
    const { concurrency = CONCURRENCY, timeoutSeconds = 60, resendAfterSeconds = RESEND_AFTER_SECONDS } = plan;
    this.#plan = { ...plan, url: plan.url.replace(/\/$/, '') };
    this.#sftp = sftp;
    this.#random = new Random(plan.seed);
    this.#ofFlood = this.#random.fork('flood');
    this.#contents = new Contents(this.#random.fork('content'));
    this.#clock = plan.clock ?? new SimulatedClock();
    this.#client = new Client(this.#plan.url, plan.tls, concurrency, timeoutSeconds * SECOND);
    this.#places = new Places(concurrency);
    this.#resends = new Resends(resendAfterSeconds.map((seconds) => seconds * SECOND));
    plan.signal?.addEventListener('abort', () => this.#end(), { once: true });
    if (plan.signal?.aborted) this.#end();
    const [arrivals, firstFaults, firstFlood] = [this.#arrive(), this.#playEachOnce(), this.#flood()];
    this.#run(() => firstFaults);
    this.#loops = [arrivals, this.#floodAgainAndAgain(firstFlood), this.#sendAgain()].map((loop) =>
      loop.catch((error) => this.#fail(error)),
    );
    this.begun = Promise.all([arrivals, firstFaults, firstFlood]).then(() => {});
    this.begun.catch(() => {}); // thrown by stop()
  }

  get progress(): SimulatorProgress {
    return {
      sent: this.#sent,
      acknowledged: this.#acknowledged,
      resent: this.#resent,
      open: this.#open,
      findings: this.#findingCount,
      failure: this.#failingSince === undefined ? undefined : this.#lastFailure,
    };
  }

  /** What happened to each letter so far, in the order in which they came. */
  get letters(): Iterable<LetterRecord> {
    return this.#letters.values();
  }

  /** Whether the receiver has taken nothing for seven days: it gets nothing more. */
  get isSwitchedOff(): boolean {
    return this.#isSwitchedOff;
  }

  /** Where the receiver fetches files; undefined without the plan’s `sftp`. */
  get sftp(): SftpPlace['server'] | undefined {
    return this.#sftp?.server;
  }

  /**
   * Begins no new letters, sends the others until each has its receipt or `stopSeconds` are over, and closes all connections.
   */
  async stop(): Promise<SimulatorReport> {
    this.#arriving.abort();
    this.#isHurried = true;
    const deadline = performance.now() + (this.#plan.stopSeconds ?? 120) * SECOND;
    while (!this.#ending.signal.aborted && performance.now() < deadline) {
      if (this.#running.size === 0 && this.#open === 0 && (await this.#filesLeft()) === 0) break;
      await this.#pause(POLL_MS);
    }
    const filesNotFetched = await this.#filesLeft();
    this.#end();
    await Promise.all([...this.#loops, ...this.#running]);
    await this.#sftp?.close();
    if (this.#error) throw this.#error;
    return this.#report(filesNotFetched);
  }

  // What begins letters

  /** An open arrival process: letters come however slow the receiver is. */
  async #arrive(): Promise<void> {
    const { rate, isFlat, limit = Number.POSITIVE_INFINITY, faultShare = 0 } = this.#plan;
    const random = this.#random.fork('arrivals');
    const faults = this.#namedFaults();
    const peak = isFlat ? 1 : HIGHEST_WEIGHT;
    let at = performance.now();
    for (let begun = 0; begun < limit; ) {
      at += random.gap(SECOND / (rate * peak));
      const left = at - performance.now();
      if (left > 0) await pause(left, undefined, { signal: this.#arriving.signal }).catch(() => {});
      if (this.#arriving.signal.aborted) return;
      if (!isFlat && !random.chance(this.#weightNow() / peak)) continue;
      if (faults.length > 0 && random.chance(faultShare)) {
        const fault = random.pick(faults);
        this.#run(() => this.#play(fault));
      } else {
        const letter = this.#newLetter(random);
        this.#add(letter);
        this.#run(() => this.#send(letter));
        begun += 1;
      }
    }
  }

  #weightNow(): number {
    const now = this.#clock.now();
    const hour = Math.floor(now / HOUR);
    if (hour !== this.#weight.hour) this.#weight = { hour, value: weightAt(new Date(now)) };
    return this.#weight.value;
  }

  async #playEachOnce(): Promise<void> {
    for (const fault of this.#namedFaults()) {
      if (this.#arriving.signal.aborted) return;
      await this.#play(fault);
    }
  }

  async #floodAgainAndAgain(first: Promise<void>): Promise<void> {
    await first;
    const { everyHours = 0 } = this.#plan.flood ?? {};
    if (everyHours === 0) return;
    for (let at = this.#clock.now(); !this.#arriving.signal.aborted; ) {
      at += everyHours * HOUR;
      await this.#clock.until(at, this.#arriving.signal);
      await this.#flood();
    }
  }

  /** SystemFetch (added 2026-11): old letters, as fast as the receiver takes them; half of the places are left to others. */
  async #flood(): Promise<void> {
    const { flood, concurrency = CONCURRENCY } = this.#plan;
    const municipality = this.#ofFlood.pick(this.#plan.municipalities);
    const places = new Places(Math.ceil(concurrency / 2));
    for (let sent = 0; sent < (flood?.letters ?? 0) && !this.#arriving.signal.aborted; sent += 1) {
      await places.take();
      const age = this.#ofFlood.between(30, 5 * 365) * DAY;
      const letter = this.#newLetter(this.#ofFlood, { municipality, age });
      this.#add(letter);
      this.#run(() => this.#send(letter).finally(() => places.release()));
    }
  }

  /**
   * Its ids are new whatever the seed, so that another run sends other letters.
   *
   * @param age in milliseconds
   */
  #newLetter(random: Random, { municipality = random.pick(this.#plan.municipalities), age = 0 } = {}): Letter {
    const { largeShare = LARGE_SHARE, sizes, sentMessages } = this.#plan;
    const channel = this.#channelOf(random);
    const isDocument = channel === 'sf2900';
    const kind = isDocument ? 'document' : kindOf(random);
    const sent = sentMessages?.get(municipality) ?? [];
    const bytes = sizeOf(random, largeShare, sizes);
    return {
      messageUUID: isDocument ? `${randomUUID()}:${randomUUID()}` : randomUUID(),
      municipality,
      channel,
      kind,
      ...UNSENT,
      bytes,
      spec: {
        citizen: citizenOf(random),
        // By our clock, not the simulated one: the receiver compares it with its own.
        createdAt: new Date(Date.now() - age).toISOString(),
        about: kind === 'reply' && sent.length > 0 ? random.pick(sent) : randomUUID(),
        attachment: this.#contents.ofBase64(bytes - AROUND_CONTENT),
      },
    };
  }

  #channelOf(random: Random): Channel {
    const shares = Object.entries(channelsOf(this.#plan)) as [Channel, number][];
    let left = (random.below(1_000_000) / 1_000_000) * shares.reduce((sum, [, share]) => sum + share, 0);
    for (const [channel, share] of shares) {
      left -= share;
      if (left < 0) return channel;
    }
    return shares.at(-1)?.[0] ?? 'rest';
  }

  #add(letter: Letter): void {
    this.#letters.set(letter.messageUUID, letter);
    this.#open += 1;
    this.#sent += letter.attempts; // one of a fault is offered at once
  }

  // What sends them

  async #sendAgain(): Promise<void> {
    while (!this.#ending.signal.aborted) {
      const now = this.#isHurried ? Number.POSITIVE_INFINITY : this.#clock.now();
      for (const letter of this.#resends.take(now)) this.#run(() => this.#send(letter));
      for (const letter of this.#hurried.take(performance.now())) this.#run(() => this.#send(letter));
      await this.#pause(POLL_MS);
    }
  }

  async #send(letter: Letter): Promise<void> {
    await this.#places.take();
    try {
      if (!this.#ending.signal.aborted && letter.status === 'open') await this.#attempt(letter);
    } finally {
      this.#places.release();
    }
  }

  async #attempt(letter: Letter): Promise<void> {
    if (letter.attempts > 0) this.#resent += 1;
    else this.#sent += 1;
    letter.attempts += 1;
    letter.sentAt ??= Date.now();
    let isAtOnce = false;
    const call = await this.#callOf(letter);
    const began = performance.now();
    try {
      const accept = ACCEPT[letter.channel];
      const answer = await this.#client.post(this.#pathOf(letter.channel), call, accept);
      const reading = await readReceipt(answer, letter.channel, letter.messageUUID, accept);
      this.#note(letter, reading, performance.now() - began);
    } catch (error) {
      if (!(error instanceof NoAnswer)) throw error;
      if (this.#ending.signal.aborted) return;
      this.#noteFailure(letter, error.code);
      isAtOnce = error.code === KEPT_CLOSED;
    }
    if (letter.status === 'open') this.#sendLater(letter, isAtOnce);
  }

  #sendLater(letter: Letter, isAtOnce: boolean): void {
    if (isAtOnce || this.#isHurried) this.#hurried.add(letter, performance.now() + (isAtOnce ? 0 : HURRY_MS));
    else this.#resends.add(letter, this.#clock.now());
    const now = this.#clock.now();
    this.#lastFailure = letter.lastFault;
    this.#failingSince ??= now;
    if (now - this.#failingSince < SWITCHED_OFF_AFTER || this.#isSwitchedOff) return;
    this.#isSwitchedOff = true;
    this.#find({ what: 'the receiver took no letter for 7 days, and was switched off' });
    this.#end();
  }

  async #callOf(letter: Letter): Promise<Call> {
    const call = await this.#bareCallOf(letter);
    const transaction = {
      'x-TransaktionsId': randomUUID(),
      'x-TransaktionsTid': `${new Date().toISOString().slice(0, 19)}Z`,
    };
    return { body: call.body, headers: { ...call.headers, ...transaction } };
  }

  async #bareCallOf(letter: Letter): Promise<Call> {
    if (letter.channel !== 'sf2900') {
      const memo = memoOf(letter);
      if (letter.attempts === 1) {
        letter.bytes = memo.length;
        letter.files = await filesOf(letter);
      }
      return callOf(letter.channel, memo, letter.messageUUID);
    }
    const fileName = `${letter.messageUUID.split(':')[1]}.pdf`;
    // Once only: it may be fetched though the answer was lost.
    if (letter.attempts === 1 && letter.spec && 'attachment' in letter.spec) {
      const put = await this.#sftp?.put(fileName, letter.spec.attachment.pieces());
      letter.bytes = put?.bytes ?? 0;
      letter.files = put ? [put.sha256] : [];
    }
    return distributionOf(letter, fileName);
  }

  #pathOf(channel: Channel): string {
    return this.#plan.paths?.[channel] ?? PATHS[channel];
  }

  #note(letter: Letter, { isPositive, code, transmissionId, findings }: Reading, tookMs?: number): void {
    const { messageUUID, fault } = letter;
    const find = (what: string) => this.#find({ what: fault === undefined ? what : `${fault}: ${what}`, messageUUID });
    for (const what of findings) find(what);
    if (!isPositive) {
      this.#noteFailure(letter, code ?? 'negative');
      return;
    }
    this.#failingSince = undefined;
    const known = letter.transmissionId;
    if (known !== undefined && known !== transmissionId) find('the letter sent again has another transmissionId');
    if (letter.status === 'acknowledged') return;
    if (letter.status === 'open') this.#open -= 1;
    this.#acknowledged += 1;
    Object.assign(letter, {
      status: 'acknowledged',
      acknowledgedAt: Date.now(),
      tookMs,
      transmissionId,
      lastFault: undefined,
      spec: undefined,
    });
  }

  #noteFailure(letter: Letter, code: string): void {
    letter.lastFault = code;
    this.#failedAttempts.set(code, (this.#failedAttempts.get(code) ?? 0) + 1);
  }

  #find(finding: Finding): void {
    this.#findingCount += 1;
    if (this.#findings.length < KEPT_FINDINGS) this.#findings.push(finding);
  }

  // Faults

  #namedFaults(): Fault[] {
    const names = new Set(this.#plan.faults ?? []);
    const named = FAULTS.filter(({ name }) => names.has(name));
    return named.filter((fault) => {
      const notPlayed = hindranceOf(fault, this.#plan);
      if (notPlayed !== undefined) this.#faults.set(fault.name, { played: 0, failed: 0, notPlayed });
      return notPlayed === undefined;
    });
  }

  /** Tries it until it is played as expected, or the receiver is to blame. */
  async #play(fault: Fault): Promise<void> {
    const figures = this.#faults.get(fault.name) ?? { played: 0, failed: 0 };
    this.#faults.set(fault.name, figures);
    figures.played += 1;
    let failure: Failure | undefined;
    let hasFindings = false;
    let [blamed, unavailable] = [0, 0];
    while (blamed < (this.#plan.faultAttempts ?? 3) && unavailable < MOST_UNAVAILABLE) {
      if (failure) await this.#pause(FAULT_PAUSE_MS);
      const played = await this.#playOnce(fault);
      failure = played.failure;
      hasFindings ||= played.hasFindings;
      if (this.#ending.signal.aborted) return;
      if (failure === undefined) break;
      if (failure.isUnavailable) unavailable += 1;
      else blamed += 1;
    }
    if (failure) this.#find({ what: `${fault.name}: ${failure.what}` });
    if (failure || hasFindings) figures.failed += 1;
  }

  /** @returns what the receiver did wrong, and whether something is wrong with its receipts */
  async #playOnce(fault: Fault): Promise<{ readonly failure: Failure | undefined; readonly hasFindings: boolean }> {
    await this.#places.take();
    const stage = new Stage(this.#plan, fault, {
      newLetter: (spec, change) => {
        const made = this.#faultLetter(fault, spec, change);
        this.#add(made.letter);
        return made;
      },
      post: (channel, call) => this.#client.post(this.#pathOf(channel), call, ACCEPT[channel]),
      note: (letter, reading) => this.#note(letter, reading),
      pathOf: (channel) => this.#pathOf(channel),
    });
    try {
      const failure = await fault
        .play(stage)
        .then(() => stage.judge())
        .then(() => undefined, failureOf);
      return { failure, hasFindings: stage.hasFindings };
    } finally {
      stage.close();
      this.#places.release();
      for (const { letter, expected } of stage.taken) this.#handOver(letter, expected);
    }
  }

  /** What should have been taken and was not is sent like any other letter. */
  #handOver(letter: Letter, expected: Expected): void {
    if (letter.status !== 'open') return;
    if (expected === 'taken') {
      this.#sendLater(letter, false);
      return;
    }
    letter.status = 'refused';
    letter.spec = undefined;
    this.#open -= 1;
  }

  #faultLetter(
    fault: Fault,
    spec: FaultLetterSpec,
    change?: (xml: string) => string | Buffer,
  ): { letter: Letter; xml: Buffer } {
    const random = this.#random;
    const messageUUID = randomUUID();
    const municipality = random.pick(this.#plan.municipalities);
    const of = { channel: 'rest', kind: 'fault', fault: fault.name } as const;
    const common = { messageUUID, municipality, ...of, ...UNSENT, attempts: 1, sentAt: Date.now() };
    const citizen = citizenOf(random);
    const createdAt = spec.createdAt ?? new Date().toISOString();
    if (spec.bytes !== undefined) {
      const attachment = this.#contents.ofBase64(4);
      const written = { citizen, createdAt, about: messageUUID, attachment };
      const room = spec.bytes - memoOf({ ...common, bytes: 0, spec: written }).length + 4;
      const exact = { ...written, attachment: this.#contents.ofBase64(room), padding: room % 4 };
      return { letter: { ...common, bytes: spec.bytes, spec: exact }, xml: Buffer.alloc(0) };
    }
    const text = 'Kære kommune. Hermed en henvendelse, som intet rigtigt menneske har skrevet. Venlig hilsen. '.repeat(
      20,
    );
    const plain = writeMemo({
      messageUUID,
      createdDateTime: createdAt,
      sender: { id: citizen, name: 'Test Testesen' },
      recipient: { id: municipality },
      documents: [textDocument(text, spec.fileName ?? 'brev.txt')],
    });
    const xml = change ? Buffer.from(change(plain.toString('utf8'))) : plain;
    return { letter: { ...common, bytes: xml.length, spec: { xml } }, xml };
  }

  // How it ends

  #run(work: () => Promise<void>): void {
    const running = work()
      .catch((error) => this.#fail(error))
      .finally(() => this.#running.delete(running));
    this.#running.add(running);
  }

  /** A fault of our own. */
  #fail(error: unknown): void {
    this.#error ??= error;
    this.#end();
  }

  #end(): void {
    this.#arriving.abort();
    this.#ending.abort();
    this.#client.close();
  }

  async #pause(ms: number): Promise<void> {
    await pause(ms, undefined, { signal: this.#ending.signal }).catch(() => {});
  }

  async #filesLeft(): Promise<number> {
    return (await this.#sftp?.left()) ?? 0;
  }

  /** An inbox that does not answer must not cost the report. */
  async #checkInbox(): Promise<InboxCheck | undefined> {
    const { inbox } = this.#plan;
    try {
      return inbox && (await checkInbox(inbox, this.letters));
    } catch (error) {
      this.#find({ what: (error as Error).message });
      return undefined;
    }
  }

  async #report(filesNotFetched: number): Promise<SimulatorReport> {
    for (const finding of sharedTransmissions(this.letters)) this.#find(finding);
    const inbox = await this.#checkInbox();
    const figures = figuresOf(this.letters);
    const isInterrupted = this.#plan.signal?.aborted === true;
    const isInboxGood = !inbox || inbox.missing.length + inbox.twice.length + inbox.unexpected.length === 0;
    return {
      url: this.#plan.url,
      seconds: (performance.now() - this.#startedAt) / SECOND,
      ...figures,
      resent: this.#resent,
      failedAttempts: Object.fromEntries(this.#failedAttempts),
      faults: Object.fromEntries(this.#faults) as Record<string, FaultFigures>,
      unchecked: uncheckedOf(this.#plan),
      filesNotFetched,
      isSwitchedOff: this.#isSwitchedOff,
      inbox,
      findings: this.#findings,
      findingCount: this.#findingCount,
      isInterrupted,
      isGood:
        figures.sent > 0 &&
        figures.open + figures.neverSent === 0 &&
        this.#findingCount === 0 &&
        isInboxGood &&
        filesNotFetched === 0 &&
        !isInterrupted,
    };
  }
}

interface Failure {
  readonly what: string;
  readonly isUnavailable: boolean;
}

function failureOf(error: unknown): Failure {
  if (error instanceof Misbehaved) return { what: error.message, isUnavailable: error instanceof Unavailable };
  if (!(error instanceof NoAnswer)) throw error;
  return { what: `it got no answer (${error.code})`, isUnavailable: error.code === 'ECONNREFUSED' };
}

const KEPT_CLOSED = 'kept connection closed';
const UNSENT = {
  status: 'open',
  attempts: 0,
  files: [],
  sentAt: undefined,
  acknowledgedAt: undefined,
  tookMs: undefined,
  transmissionId: undefined,
  lastFault: undefined,
} as const;

/** An impossible CPR number: no month has days from 41 on. */
const citizenOf = (random: Random) =>
  `41${String(random.between(1, 12)).padStart(2, '0')}${String(random.below(1_000_000)).padStart(6, '0')}`;
