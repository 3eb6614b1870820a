import { setTimeout as pause } from 'node:timers/promises';
import type { ChangeAnswer } from '@indbakke/shared/api';
import type { Status } from '@indbakke/shared/lifecycle';
import { NotDescribed } from '../../../testkit/checked-fetch.js';
import { deliver } from '../../../testkit/deliver.js';
import { InboxClient, InboxError, type Seen } from '../../../testkit/inbox-client.js';
import { writeMemo } from '../../../testkit/write-memo.js';
import type { Random } from '../../random.js';
import type { Stage } from '../stage.js';
import { MUNICIPALITIES, REGISTERED } from '../write-memos.js';

const ANSWER_WITHIN_MS = 30_000;
const RETRY_MS = 50;
/** How long a writer asks for the same until it is stuck: the services may be killed several times meanwhile. */
const ANSWERED_WITHIN_MS = 60_000;
const MAX_REST_MS = 100;

type Change = (client: InboxClient, seen: Seen, key: string) => Promise<ChangeAnswer>;

const assign: Change = (client, seen, key) => client.assign(seen, { assignee: { kind: 'user', id: 'anna' } }, key);
const journalize: Change = (client, seen, key) => client.journalize(seen, { caseIds: [REGISTERED.caseId] }, key);
const reject: Change = (client, seen, key) => client.reject(seen, { reason: 'unwanted', explanation: 'Reklame' }, key);
const reopen: Change = (client, seen, key) => client.reopen(seen, key);
const deleteForGood: Change = (client, seen, key) => client.deleteForGood(seen, key);

const CHANGES: Partial<Record<Status, readonly Change[]>> = {
  pending: [assign, assign, assign, journalize, reject],
  rejected: [reopen, deleteForGood],
};

/**
 * Deliver messages and change them, one change right after the other, through any of the services. What is not answered is
 * asked for again, as callers do, until it is.
 */
export class Writers {
  /** What was answered to be done, the receipt of a message as its first version. */
  readonly answered: ChangeAnswer[] = [];
  /** Why writers gave up. */
  readonly failures: string[] = [];
  readonly #stage: Stage;
  readonly #urls: readonly string[];
  readonly #stopping = new AbortController();
  readonly #done: Promise<unknown>;

  constructor(stage: Stage, urls: readonly string[], random: Random, count: number) {
    this.#stage = stage;
    this.#urls = urls;
    const write = (index: number) =>
      this.#write(random.fork(`writer ${index}`)).catch((error: Error) => {
        this.failures.push(error.message);
      });
    this.#done = Promise.all(Array.from({ length: count }, (_, index) => write(index)));
  }

  /** Resolves when everything that was asked for is answered. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#done;
  }

  async #write(random: Random): Promise<void> {
    while (!this.#stopping.signal.aborted) {
      const municipality = random.pick(MUNICIPALITIES);
      let message = await this.#deliver(municipality, random);
      for (let left = random.between(0, 6); left > 0 && !this.#stopping.signal.aborted; left -= 1) {
        const changes = CHANGES[message.status];
        if (!changes) break;
        message = await this.#change(municipality, message, random.pick(changes), random);
      }
      await pause(random.between(0, MAX_REST_MS));
    }
  }

  async #deliver(municipality: string, random: Random): Promise<ChangeAnswer> {
    const messageUUID = random.uuid();
    const isReply = random.chance(0.3);
    const reply = { messageUUID: REGISTERED.messageUUID, senderID: municipality, recipientID: '4101019999' };
    const memo = writeMemo({
      messageUUID,
      recipient: { id: municipality },
      documents: [{ files: [{ name: 'bilag.txt', type: 'text/plain', content: random.bytes(200) }] }],
      replyData: isReply ? [reply] : [],
    });
    const receipt = await this.#untilAnswered(random, async (url) => {
      const response = await deliver(url, memo, { signal: AbortSignal.timeout(ANSWER_WITHIN_MS) });
      const body = await response.text();
      if (!response.ok) throw new InboxError(response.status, 'refused', body);
      return JSON.parse(body) as { transmissionId: string };
    });
    const [row] = await this.#stage.sql<{ id: string }>('SELECT id FROM messages WHERE transmission_id = $1', [
      receipt.transmissionId,
    ]);
    if (!row) throw new Error(`The message of receipt ${receipt.transmissionId} is missing.`);
    const done: ChangeAnswer = { id: row.id, status: 'pending', version: 1 };
    this.answered.push(done);
    return done;
  }

  /** @returns what the message is now: another version than was asked for when somebody else has changed it */
  async #change(municipality: string, message: ChangeAnswer, change: Change, random: Random): Promise<ChangeAnswer> {
    const token = this.#stage.tokens.get(municipality) as string;
    const key = random.uuid();
    const clientOf = (url: string) => new InboxClient(url, token, AbortSignal.timeout(ANSWER_WITHIN_MS));
    try {
      const done = await this.#untilAnswered(random, (url) => change(clientOf(url), message, key));
      this.answered.push(done);
      return done;
    } catch (error) {
      if (!(error instanceof InboxError) || error.code !== 'version-changed') throw error;
      return this.#untilAnswered(random, (url) => clientOf(url).read(message.id)); // a case was suggested meanwhile
    }
  }

  /** Asks any of the services until one answers with other than 503. @throws what it answers, or what is wrong for long */
  async #untilAnswered<Answer>(random: Random, ask: (url: string) => Promise<Answer>): Promise<Answer> {
    for (const limit = performance.now() + ANSWERED_WITHIN_MS; ; await pause(RETRY_MS)) {
      try {
        return await ask(random.pick(this.#urls));
      } catch (error) {
        const isFinal = error instanceof NotDescribed || (error instanceof InboxError && error.status !== 503);
        if (isFinal || performance.now() > limit) throw error;
      }
    }
  }
}
