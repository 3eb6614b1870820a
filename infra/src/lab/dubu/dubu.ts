import { InboxClient } from '../../testkit/inbox-client.js';
import { concurrently } from '../crash/compare.js';
import type { Stage } from '../crash/stage.js';
import type { Random } from '../random.js';
import { type Watched, Watchers } from '../upgrade/watchers.js';
import { Caseworkers, type Deed, type Interruption } from './caseworkers.js';

export interface DubuPlan {
  /** Where it calls Indbakke. */
  readonly url: string;
  readonly caseworkers: number;
  /** Between two calls of a caseworker, on average. */
  readonly thinkMs: number;
  readonly random: Random;
  readonly signal: AbortSignal;
}

/** What it saw, compared with what is stored. */
export interface DubuOutcome extends Watched {
  /** Changes that its caseworkers were told are done. */
  readonly changes: number;
  readonly done: ReadonlyMap<Deed, number>;
  readonly interruptions: readonly Interruption[];
}

/** Follows the feed as a core does that lets events gather. */
const FOLLOWER = { 'the core': { waitSeconds: 20, restMs: 10_000 } };
/** One municipality of so many has its changes pushed, too. */
const HOOKED_ONE_IN = 8;
const CASES = 5;
const SENT_LETTERS = 20;
const REGISTERING = 4;

/** DUBU’s core: registers cases and the letters it sent, follows what changes, and has caseworkers in every municipality. */
export class Dubu {
  /** Ids of the letters that each municipality has sent, which citizens reply to. */
  readonly sentMessages: ReadonlyMap<string, readonly string[]>;
  readonly #watchers: Watchers;
  readonly #caseworkers: Caseworkers;

  private constructor(
    sentMessages: ReadonlyMap<string, readonly string[]>,
    watchers: Watchers,
    caseworkers: Caseworkers,
  ) {
    this.sentMessages = sentMessages;
    this.#watchers = watchers;
    this.#caseworkers = caseworkers;
  }

  static async start(stage: Stage, { url, caseworkers, thinkMs, random, signal }: DubuPlan): Promise<Dubu> {
    const sentMessages = await register(stage, url, random.fork('letters'), signal);
    const hooked = stage.municipalities.filter((_, n) => n % HOOKED_ONE_IN === 0);
    const watchers = await Watchers.start(stage, url, random.fork('watchers'), signal, {
      consumers: FOLLOWER,
      hooked,
    });
    const desks = stage.municipalities.map((municipality) => ({
      token: stage.tokens.get(municipality) as string,
      secondToken: stage.secondTokens.get(municipality) as string,
      cases: casesOf(municipality),
    }));
    return new Dubu(sentMessages, watchers, new Caseworkers({ url, desks, caseworkers, thinkMs, random }));
  }

  /** Changes so far that caseworkers were told are done. */
  get changes(): number {
    return this.#caseworkers.answered.length;
  }

  /** Its caseworkers go home; it goes on following. */
  stop(): Promise<void> {
    return this.#caseworkers.stop();
  }

  /** What it has not got yet, in words. */
  left(): Promise<string[]> {
    return this.#watchers.left();
  }

  /** When nothing is left. */
  async compare(): Promise<DubuOutcome> {
    const { answered, done, interruptions, findings } = this.#caseworkers;
    const watched = await this.#watchers.compare(answered);
    return {
      ...watched,
      findings: [...watched.findings, ...findings.map((what) => ({ verdict: 'failed', what }))],
      changes: answered.length,
      done,
      interruptions,
    };
  }

  kill(): Promise<void> {
    return this.#watchers.kill();
  }
}

function casesOf(municipality: string): string[] {
  return Array.from({ length: CASES }, (_, n) => `BF-${municipality}-${n + 1}`);
}

/** @returns ids of the letters, by municipality */
async function register(
  stage: Stage,
  url: string,
  random: Random,
  signal: AbortSignal,
): Promise<ReadonlyMap<string, readonly string[]>> {
  const sent = new Map<string, string[]>();
  await concurrently(REGISTERING, stage.municipalities, async (municipality) => {
    const core = new InboxClient(url, await stage.systemToken(municipality), signal);
    const cases = casesOf(municipality);
    for (const caseId of cases) await core.upsertCase(caseId, { status: 'open' });
    const ofMunicipality = random.fork(municipality);
    const letters = Array.from({ length: SENT_LETTERS }, () => ofMunicipality.uuid());
    for (const [n, letter] of letters.entries())
      await core.registerSentMessage(letter, { caseId: cases[n % CASES] as string });
    sent.set(municipality, letters);
  });
  return sent;
}
