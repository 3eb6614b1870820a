import { isIPv6 } from 'node:net';
import type { SimulatorTls } from './client.js';
import type { SimulatedClock } from './clock.js';
import { FAULTS, type Fault, THIS_MACHINE } from './faults.js';
import type { SimulatorInbox } from './inbox.js';
import type { Channel } from './letters.js';
import type { SftpPlace, SimulatorSftp } from './sftp.js';

export interface SimulatorPlan {
  /** Base URL of the receiver: https, or http to this machine. */
  readonly url: string;
  /** Name or address by which the receiver reaches the simulator, if it is not on this machine. */
  readonly ownHost?: string;
  /** Where letters go below it; default: the paths of this project. */
  readonly paths?: Partial<Readonly<Record<Channel, string>>>;
  /** CVR numbers. */
  readonly municipalities: readonly string[];
  /** Letters a second of real time, on average over a week. */
  readonly rate: number;
  /** Of what is random, but for ids: those are new in each run. */
  readonly seed: number;
  /** No more than this many, faults not counted; default: until `stop`. */
  readonly limit?: number;
  /** Without a daily and weekly rhythm. */
  readonly isFlat?: boolean;
  /** Of the others, in bytes of XML: each is as frequent as the next; default: from 20 KB to 2 MB, 470 KB on average. */
  readonly sizes?: readonly number[];
  /** Share of letters of 60 to 99.5 MB; default: 1 in 500. */
  readonly largeShare?: number;
  /** Ids of letters that a municipality has sent: replies are to them. By CVR number; without any, replies are to letters unknown. */
  readonly sentMessages?: ReadonlyMap<string, readonly string[]>;
  /** Shares of the ways of sending; default: most as they are, some in a form, some over SOAP. */
  readonly channels?: Partial<Readonly<Record<Channel, number>>>;
  /** For the channel sf2900. */
  readonly sftp?: SimulatorSftp | SftpPlace;
  readonly tls?: SimulatorTls;
  /** Names of faults. Each is played once at the beginning, then they are mixed in. */
  readonly faults?: readonly string[];
  /** Share of the traffic; default: none after the beginning. */
  readonly faultShare?: number;
  /** Attempts of a fault before the receiver is blamed, which may just restart; default 3. */
  readonly faultAttempts?: number;
  /** SystemFetch: so many old letters at once to one municipality, at the beginning, and perhaps again and again in simulated time. */
  readonly flood?: { readonly letters: number; readonly everyHours?: number };
  /** Letters under way at once, and connections; default 32. */
  readonly concurrency?: number;
  /** How long an answer may take, in seconds; default 60. */
  readonly timeoutSeconds?: number;
  /** Seconds of simulated time until a letter is sent again: after the first attempt, the second … */
  readonly resendAfterSeconds?: readonly number[];
  /** How long `stop` waits for receipts, in seconds of real time; default 120. */
  readonly stopSeconds?: number;
  /** Default: ours. */
  readonly clock?: SimulatedClock;
  /** Compared with what was sent, at the end. */
  readonly inbox?: SimulatorInbox;
  /** Ends it without waiting for receipts. */
  readonly signal?: AbortSignal;
}

const SHARES: Partial<Readonly<Record<Channel, number>>> = { rest: 0.7, form: 0.15, soap: 0.15 };

/** The ways of sending, with their shares. */
export const channelsOf = ({ channels = SHARES }: Pick<SimulatorPlan, 'channels'>) => channels;

const isLoopback = (url: string) => /^(localhost|127\..*|\[::1\])$/.test(new URL(url).hostname);

/** @throws Error with a sentence when it cannot be carried out */
export function checkPlan(plan: SimulatorPlan): void {
  const { url, tls, municipalities, faults = [], channels = {}, sftp, rate, concurrency = 1 } = plan;
  const { protocol } = new URL(url);
  if (protocol !== 'https:' && !(protocol === 'http:' && isLoopback(url)))
    throw new Error('The receiver is called over https; over http only on this machine.');
  if (municipalities.length === 0) throw new Error('There is no municipality to send to.');
  if (!(rate > 0)) throw new Error('The rate must be more than 0 letters a second.');
  if (!(Number.isInteger(concurrency) && concurrency >= 1))
    throw new Error('The concurrency must be 1 letter or more.');
  if (plan.ownHost !== undefined && !URL.canParse(`http://${ownHostOf(plan)}:1`))
    throw new Error(`"${plan.ownHost}" is neither the name of a machine nor an address.`);
  if (channels.sf2900 && !sftp) throw new Error('SF2900 needs an SFTP server for the files: --sftp DIR.');
  for (const name of faults) {
    const fault = FAULTS.find((each) => each.name === name);
    if (!fault) throw new Error(`There is no fault "${name}"; --list-faults shows them.`);
    if (!canPlay(fault, protocol === 'https:' ? tls : undefined))
      throw new Error(`The fault ${name} needs TLS, and the certificates for it.`);
  }
}

/** Whether what it needs is there. */
export function canPlay({ needs }: Fault, tls: SimulatorTls | undefined): boolean {
  if (needs === 'other-certificate') return tls?.other !== undefined;
  if (needs === 'expired-certificate') return tls?.expired !== undefined;
  return needs === undefined || tls !== undefined;
}

/** By which the receiver reaches the simulator, as it is in a URL; undefined when nobody knows. */
export function ownHostOf({ url, ownHost }: SimulatorPlan): string | undefined {
  if (ownHost !== undefined) return isIPv6(ownHost) ? `[${ownHost}]` : ownHost;
  return isLoopback(url) ? THIS_MACHINE : undefined;
}

/** Why it is not played; undefined when it is. */
export function hindranceOf({ isCalledBack }: Fault, plan: SimulatorPlan): string | undefined {
  if (!('rest' in channelsOf(plan))) return 'faults are sent as the body, and rest is not among the channels';
  const isReached = !isCalledBack || ownHostOf(plan) !== undefined;
  return isReached ? undefined : 'the receiver is on another machine: say by --own-host how it reaches this one';
}

const KEPT = 'whether the receiver has kept what it acknowledged: compare its letters with those of --json';

/** What is not checked, a sentence each. */
export function uncheckedOf({ url, inbox, faults = [] }: SimulatorPlan): string[] {
  const isChecked = { 'with an inbox': inbox !== undefined, 'on this machine': isLoopback(url) };
  const ofFaults = FAULTS.flatMap(({ name, unseen }) =>
    unseen && faults.includes(name) && !isChecked[unseen.isChecked]
      ? [`${name}: whether ${unseen.what}, which is checked only ${unseen.isChecked}`]
      : [],
  );
  return inbox ? ofFaults : [KEPT, ...ofFaults];
}
