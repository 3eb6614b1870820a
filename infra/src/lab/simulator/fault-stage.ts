import { SECOND } from '@indbakke/shared/config';
import type { Answer, ShownCertificate } from './client.js';
import {
  type Expected,
  type Fault,
  type FaultLetter,
  type FaultLetterSpec,
  type FaultStage,
  Misbehaved,
  mustRefuseForGood,
  type SendOptions,
  THIS_MACHINE,
} from './faults.js';
import { ACCEPT, type Call, type Channel, callOf, type Letter, memoOf } from './letters.js';
import { channelsOf, ownHostOf, type SimulatorPlan } from './plan.js';
import { RawConnection } from './raw-connection.js';
import { isRefusal, type Reading, readReceipt } from './receipts.js';

/** What a stage needs of the simulator. */
export interface Backstage {
  /** A new letter of the fault, which is open. */
  newLetter(spec: FaultLetterSpec, change?: (xml: string) => string | Buffer): { letter: Letter; xml: Buffer };
  post(channel: Channel, call: Call): Promise<Answer>;
  note(letter: Letter, reading: Reading): void;
  pathOf(channel: Channel): string;
}

/** One attempt of one fault. */
export class Stage implements FaultStage {
  readonly ownHost: string;
  readonly host: string;
  readonly path: string;
  readonly own: ShownCertificate | undefined;
  readonly other: ShownCertificate | undefined;
  readonly expired: ShownCertificate | undefined;
  /** Whether something is wrong with a receipt, whatever became of the fault. */
  hasFindings = false;
  readonly taken: { readonly letter: Letter; readonly expected: Expected }[] = [];
  readonly #plan: SimulatorPlan;
  readonly #expected: Expected;
  readonly #behind: Backstage;
  readonly #connections: RawConnection[] = [];
  /** HTTP statuses of negative receipts, by letter. */
  readonly #refusals = new Map<string, number>();

  constructor(plan: SimulatorPlan, fault: Fault, behind: Backstage) {
    const { host, pathname } = new URL(plan.url);
    this.ownHost = ownHostOf(plan) ?? THIS_MACHINE;
    this.host = host;
    this.path = `${pathname.replace(/\/$/, '')}${behind.pathOf('rest')}`;
    this.own = plan.tls?.own;
    this.other = plan.tls?.other;
    this.expired = plan.tls?.expired;
    this.#plan = plan;
    this.#expected = fault.expected;
    this.#behind = behind;
  }

  take(spec: FaultLetterSpec = {}, change?: (xml: string) => string | Buffer): FaultLetter {
    const { letter, xml } = this.#behind.newLetter(spec, change);
    const expected = spec.expected ?? (this.#expected === 'refused' ? 'refused' : 'taken');
    this.taken.push({ letter, expected });
    return { messageUUID: letter.messageUUID, xml, body: memoOf(letter) };
  }

  async connect(shown: ShownCertificate | 'none' | undefined = this.own): Promise<RawConnection> {
    const { url, tls, timeoutSeconds = 60 } = this.#plan;
    const certificate = shown === 'none' ? undefined : shown;
    const connection = await RawConnection.open(url, timeoutSeconds * SECOND, tls, certificate);
    this.#connections.push(connection);
    return connection;
  }

  async send(
    letter: FaultLetter,
    { channel: wanted = 'rest', headers, body = letter.body, isOther }: SendOptions = {},
  ): Promise<Reading> {
    const channel = wanted in channelsOf(this.#plan) ? wanted : 'rest';
    const call = callOf(channel, body, letter.messageUUID);
    const answer = await this.#behind.post(channel, { ...call, headers: { ...call.headers, ...headers } });
    return this.#read(letter, answer, channel, isOther);
  }

  read(letter: FaultLetter, answer: Answer): Promise<Reading> {
    return this.#read(letter, answer, 'rest');
  }

  /** What may be refused may be refused by a proxy, which gives no receipts. */
  async #read({ messageUUID }: FaultLetter, answer: Answer, channel: Channel, isOther = false): Promise<Reading> {
    const read = await readReceipt(answer, channel, messageUUID, ACCEPT[channel]);
    const { letter, expected } = this.taken.find((each) => each.letter.messageUUID === messageUUID) ?? {};
    const isFine = (isOther || expected !== 'taken') && !read.isReceipt && isRefusal(answer);
    const reading = isFine ? { ...read, findings: [] } : read;
    if (reading.findings.length > 0) this.hasFindings = true;
    if (letter) {
      this.#behind.note(isOther ? { ...letter, transmissionId: undefined } : letter, reading);
    }
    if (!reading.isPositive) this.#refusals.set(messageUUID, answer.status);
    return reading;
  }

  /** @throws Misbehaved */
  judge(): void {
    for (const { letter, expected } of this.taken) {
      if (expected === 'refused' && letter.status === 'acknowledged')
        throw new Misbehaved(`acknowledged ${letter.messageUUID}, which it must refuse`);
      if (expected !== 'taken') mustRefuseForGood(this.#refusals.get(letter.messageUUID) ?? 0);
    }
  }

  close(): void {
    for (const connection of this.#connections) connection.close();
  }
}
