import { mkdtempSync } from 'node:fs';
import { join } from 'node:path';
import type { ChangeAnswer } from '@indbakke/shared/api';
import { InboxClient } from '../../testkit/inbox-client.js';
import { CONSUMERS, type ConsumerManner, Helper, lastingPort } from '../crash/feed/children.js';
import { type Committed, compareFeed } from '../crash/feed/compare.js';
import { type Got, type Received, saved } from '../crash/feed/lines.js';
import { leftOf, recordedIn } from '../crash/feed/recorded.js';
import type { Stage } from '../crash/stage.js';
import { REGISTERED } from '../crash/write-memos.js';
import type { Random } from '../random.js';

/** What the watchers got, compared with what is committed. */
export interface Watched {
  readonly findings: readonly { readonly verdict: string; readonly what: string }[];
  readonly committed: readonly Committed[];
  /** How many there are. */
  readonly messages: number;
  /** Different webhooks that were acknowledged. */
  readonly webhooks: number;
}

export interface WatchersOptions {
  /** Consumers of the feed, by name. */
  readonly consumers?: Readonly<Record<string, ConsumerManner>>;
  /** Municipalities that have a webhook; all when absent. */
  readonly hooked?: readonly string[];
}

/** Who follows all changes: the receiver of webhooks, and consumers of the feed of each municipality. */
export class Watchers {
  readonly #stage: Stage;
  readonly #folder: string;
  readonly #helpers: readonly Helper[];
  /** Names. */
  readonly #consumers: readonly string[];
  readonly #hooked: ReadonlySet<string>;

  private constructor(
    stage: Stage,
    folder: string,
    helpers: readonly Helper[],
    consumers: readonly string[],
    hooked: ReadonlySet<string>,
  ) {
    this.#stage = stage;
    this.#folder = folder;
    this.#helpers = helpers;
    this.#consumers = consumers;
    this.#hooked = hooked;
  }

  /** Registers the case and the letter that replies are to, and webhooks for all events; starts to follow. */
  static async start(
    stage: Stage,
    url: string,
    random: Random,
    signal: AbortSignal,
    { consumers = CONSUMERS, hooked = stage.municipalities }: WatchersOptions = {},
  ): Promise<Watchers> {
    const folder = mkdtempSync(join(stage.folder, 'watched-'));
    const port = await lastingPort(random.fork('port'));
    const secrets: Record<string, string> = {};
    const tokens: Record<string, string> = {};
    for (const municipality of stage.municipalities) {
      const token = await stage.systemToken(municipality);
      tokens[municipality] = token;
      const core = new InboxClient(url, token, signal, fetch);
      await core.upsertCase(REGISTERED.caseId, { status: 'open' });
      await core.registerSentMessage(REGISTERED.messageUUID, { caseId: REGISTERED.caseId });
      if (hooked.includes(municipality))
        secrets[municipality] = await core.createWebhook(`http://127.0.0.1:${port}/${municipality}`);
    }
    const hook = new Helper('hook', { port, secrets, file: fileIn(folder, 'hook') });
    const followers = Object.entries(consumers).map(
      ([name, manner]) => new Helper('consumer', { urls: [url], tokens, file: fileIn(folder, name), manner }),
    );
    const helpers = [hook, ...followers];
    await Promise.all(helpers.map((helper) => helper.start()));
    return new Watchers(stage, folder, helpers, Object.keys(consumers), new Set(hooked));
  }

  /** What is still to be done until they have everything, in words. */
  left(): Promise<string[]> {
    const got = this.#consumers.map((name) => [name, this.#got(name).length] as const);
    return leftOf(this.#stage, new Map(got));
  }

  /** @param answered what callers were told is done */
  async compare(answered: readonly ChangeAnswer[]): Promise<Watched> {
    const { committed, messages } = await recordedIn(this.#stage);
    const received = saved<Received>(fileIn(this.#folder, 'hook'));
    const consumers = Object.fromEntries(this.#consumers.map((name) => [name, this.#got(name)]));
    const faults = this.#helpers.flatMap((helper) => helper.faults);
    return {
      findings: [
        ...compareFeed({ committed, messages, answered, consumers, received, hooked: this.#hooked }),
        ...faults.map((what) => ({ verdict: 'failed', what })),
      ],
      committed,
      messages: messages.length,
      webhooks: new Set(received.map(({ webhookId }) => webhookId)).size,
    };
  }

  async kill(): Promise<void> {
    await Promise.all(this.#helpers.map((helper) => helper.kill()));
  }

  #got(name: string): Got[] {
    return saved<Got>(fileIn(this.#folder, name));
  }
}

function fileIn(folder: string, name: string): string {
  return join(folder, `${name.replaceAll(' ', '-')}.jsonl`);
}
