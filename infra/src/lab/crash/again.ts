import { setTimeout as pause } from 'node:timers/promises';
import type { ChangeAnswer } from '@indbakke/shared/api';
import { type InboxClient, InboxError } from '../../testkit/inbox-client.js';
import type { Random } from '../random.js';
import { concurrently } from './compare.js';
import type { AskedChange, Ledger, Verdict } from './ledger.js';
import { clientsOf, noteDone, send } from './load.js';
import type { Stage } from './stage.js';

export const ACCEPTED_WITHIN_MS = 30_000;
export const CONCURRENT_RETRIES = 4;
const POLL_MS = 100;
/** Probability that an unanswered MeMo is never retried: it must be stored whole, or not at all. */
const GIVEN_UP = 0.15;
/** Probability that an unanswered change is asked for again. */
const REPEATED = 0.6;

/** What callers know when services answer again. */
export interface Again {
  readonly stage: Stage;
  readonly ledger: Ledger;
  /** Of the services. */
  readonly url: string;
  readonly random: Random;
  readonly signal: AbortSignal;
}

/** Retries unanswered MeMos until they are accepted, as Serviceplatformen does. */
export async function sendAgain({ ledger, url, random, signal }: Again): Promise<void> {
  const waiting = ledger.unanswered().filter(({ givenUp }) => !givenUp);
  for (const memo of waiting) memo.givenUp = random.chance(GIVEN_UP);
  const again = waiting.filter(({ givenUp }) => !givenUp);
  const limit = performance.now() + ACCEPTED_WITHIN_MS;
  await concurrently(CONCURRENT_RETRIES, again, async (memo) => {
    let status = await send(url, memo, ledger);
    for (; status !== 200 && performance.now() < limit; await pause(POLL_MS)) {
      signal.throwIfAborted();
      status = await send(url, memo, ledger);
    }
    if (status !== 200) ledger.find('stuck', memo, `could not be delivered (${status})`);
  });
}

/**
 * Asks again for the changes of a run, each with its Idempotency-Key: those that were answered must get their answer again,
 * whatever came after; the others are made once, or refused since a suggestion has come.
 */
export async function repeatChanges({ stage, ledger, url, random, signal }: Again, run: number): Promise<void> {
  const clients = clientsOf(stage, url, ACCEPTED_WITHIN_MS);
  // Whether the others were done is found out by reading.
  const again = [...ledger.changes].filter(
    (change) => change.run === run && (change.answer !== undefined || random.chance(REPEATED)),
  );
  await concurrently(CONCURRENT_RETRIES, again, async (change) => {
    const [item] = change.items;
    const client = item && clients.get(item.memo.municipality);
    if (!client) return;
    const find = (verdict: Verdict, what: string) => ledger.find(verdict, item.memo, what);
    const before = change.answer ?? [];
    const first = await askAgain(change, client, signal);
    const second = await askAgain(change, client, signal);
    if (!isWithin(before, first) || !isWithin(first, second)) {
      find(
        'lost',
        `its change was answered ${[before, first, second].map((answer) => JSON.stringify(answer)).join(', then ')}`,
      );
    }
    const versions = new Map(change.items.map(({ id, version }) => [id, version + 1]));
    if (first.some(({ id, version }) => versions.get(id) !== version)) find('twice', 'its change was made twice');
    // Of a bulk, a repeat can do what was refused.
    noteDone(
      change,
      first.filter(({ id }) => !before.some((done) => done.id === id)),
    );
  });
}

/** @returns what was done; nothing when it is refused */
async function askAgain(
  change: AskedChange,
  client: InboxClient,
  signal: AbortSignal,
): Promise<readonly ChangeAnswer[]> {
  for (const limit = performance.now() + ACCEPTED_WITHIN_MS; performance.now() < limit; await pause(POLL_MS)) {
    signal.throwIfAborted();
    try {
      return await change.ask(client);
    } catch (error) {
      if (error instanceof InboxError && error.status < 500) return [];
    }
  }
  return [];
}

/** Whether everything that one answer says was done, another says too. */
function isWithin(one: readonly ChangeAnswer[], other: readonly ChangeAnswer[]): boolean {
  const answers = new Set(other.map((answer) => JSON.stringify(answer)));
  return one.every((answer) => answers.has(JSON.stringify(answer)));
}
