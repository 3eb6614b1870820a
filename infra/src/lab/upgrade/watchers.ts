import { mkdtempSync } from 'node:fs';
import { join } from 'node:path';
import type { ChangeAnswer } from '@indbakke/shared/api';
import { InboxClient } from '../../testkit/inbox-client.js';
import { Helper, lastingPort } from '../crash/feed/children.js';
import { type Committed, compareFeed } from '../crash/feed/compare.js';
import { type Got, type Received, saved } from '../crash/feed/lines.js';
import { leftOf, recordedIn } from '../crash/feed/recorded.js';
import type { Stage } from '../crash/stage.js';
import { MUNICIPALITIES, REGISTERED } from '../crash/write-memos.js';
import type { Random } from '../random.js';

const CONSUMERS = { 'a consumer that waits': true, 'a consumer that polls': false };

/** What the watchers got, compared with what is committed. */
export interface Watched {
  readonly findings: readonly { readonly verdict: string; readonly what: string }[];
  readonly committed: readonly Committed[];
  /** How many there are. */
  readonly messages: number;
  /** Different webhooks that were acknowledged. */
  readonly webhooks: number;
}

/** Who follows all changes of each municipality: the receiver of a webhook, and two consumers of the feed. */
export class Watchers {
  readonly #stage: Stage;
  readonly #folder: string;
  readonly #helpers: readonly Helper[];

  private constructor(stage: Stage, folder: string, helpers: readonly Helper[]) {
    this.#stage = stage;
    this.#folder = folder;
    this.#helpers = helpers;
  }

  /** Registers the case and the letter that replies are to, and a webhook for all events, in each municipality; starts to follow. */
  static async start(stage: Stage, url: string, random: Random, signal: AbortSignal): Promise<Watchers> {
    const folder = mkdtempSync(join(stage.folder, 'watched-'));
    const port = await lastingPort(random.fork('port'));
    const secrets: Record<string, string> = {};
    const tokens: Record<string, string> = {};
    for (const municipality of MUNICIPALITIES) {
      const token = await stage.systemToken(municipality);
      tokens[municipality] = token;
      const core = new InboxClient(url, token, signal, fetch);
      await core.upsertCase(REGISTERED.caseId, { status: 'open' });
      await core.registerSentMessage(REGISTERED.messageUUID, { caseId: REGISTERED.caseId });
      secrets[municipality] = await core.createWebhook(`http://127.0.0.1:${port}/${municipality}`);
    }
    const hook = new Helper('hook', { port, secrets, file: fileIn(folder, 'hook') });
    const consumers = Object.entries(CONSUMERS).map(
      ([name, waits]) => new Helper('consumer', { urls: [url], tokens, file: fileIn(folder, name), waits }),
    );
    const helpers = [hook, ...consumers];
    await Promise.all(helpers.map((helper) => helper.start()));
    return new Watchers(stage, folder, helpers);
  }

  /** What is still to be done until they have everything, in words. */
  left(): Promise<string[]> {
    const got = Object.keys(CONSUMERS).map((name) => [name, this.#got(name).length] as const);
    return leftOf(this.#stage, new Map(got));
  }

  /** @param answered what callers were told is done */
  async compare(answered: readonly ChangeAnswer[]): Promise<Watched> {
    const { committed, messages } = await recordedIn(this.#stage);
    const received = saved<Received>(fileIn(this.#folder, 'hook'));
    const consumers = Object.fromEntries(Object.keys(CONSUMERS).map((name) => [name, this.#got(name)]));
    const faults = this.#helpers.flatMap((helper) => helper.faults);
    return {
      findings: [
        ...compareFeed({ committed, messages, answered, consumers, received }),
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
