import { setTimeout as pause } from 'node:timers/promises';
import { readTraining, requestReset, type Training } from '@indbakke/archiver';
import type { Connection } from '@indbakke/shared/store';
import { deliverLetters, registerCases, type Target } from './fill.js';

/** Runs `work` in a transaction of the owner of the tables. */
type AsOwner = <T>(work: (owner: Connection) => Promise<T>) => Promise<T>;

/** Called as it goes on: what has been done to how many of all. */
export type OnProgress = (what: 'removed' | 'delivered', done: number, of: number) => void;

interface Practice {
  readonly cvr: string;
  readonly target: Target;
  /** Whether all that is there goes first. */
  readonly isReset: boolean;
  readonly onProgress?: OnProgress;
}

const POLL_MS = 250;
const PATIENCE_MS = 60_000;

/**
 * Fills a training municipality with made-up mail. What is there already is not made twice, so after a stop it goes on. An empty one
 * is reset too: its mail is dated from now on, and what was deleted by hand would not come back.
 *
 * @returns what was done
 * @throws Error for any other municipality, and before anything is removed when it cannot be filled
 */
export async function practise(
  asOwner: AsOwner,
  { cvr, target, isReset, onProgress = () => {} }: Practice,
): Promise<string> {
  const read = () => asOwner((owner) => readTraining(owner, cvr));
  const { messages: present } = await read();
  await registerCases(target, cvr);
  if (isReset || present === 0) await asOwner((owner) => requestReset(owner, cvr));
  const before = await untilReset(read, onProgress);
  const count = await deliverLetters(target, { cvr, ...before }, (done, of) => onProgress('delivered', done, of));
  const { name, messages } = await read();
  const added = messages - before.messages;
  return `${cvr} ${name}: ${added} of ${count} letters are new. ${messages} messages are there.`;
}

/** Waits while the archiver removes what was there; also after a reset that was asked for before. */
async function untilReset(read: () => Promise<Training>, onProgress: OnProgress): Promise<Training> {
  let training = await read();
  if (!training.isResetDue) return training;
  const all = training.messages;
  let changedAt = performance.now();
  while (training.isResetDue) {
    await pause(POLL_MS);
    const { messages } = training;
    training = await read();
    if (training.messages < messages) {
      changedAt = performance.now();
      onProgress('removed', all - training.messages, all);
    }
    if (performance.now() - changedAt > PATIENCE_MS) {
      throw new Error(
        'No message has been removed for a minute. Is the archiver running? Then run this again, without --reset.',
      );
    }
  }
  return training;
}
