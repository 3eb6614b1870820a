import { existsSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';
import { readTraining, requestReset, type Training } from '@indbakke/archiver';
import type { Connection } from '@indbakke/shared/store';
import { issueLocalToken } from '../local/issuer.js';
import { issuerKeyOf } from '../local/settings.js';
import { statePaths } from '../local/state.js';
import { deliverLetters, registerCases } from './fill.js';

/** Runs `work` in a transaction of the owner of the tables. */
type AsOwner = <T>(work: (owner: Connection) => Promise<T>) => Promise<T>;

const POLL_MS = 250;
const PATIENCE_MS = 60_000;

/**
 * Fills a training municipality with made-up mail. What is there already is not made twice, so after a stop it goes on.
 *
 * @param isReset whether all that is there goes first
 * @returns what was done
 * @throws Error for any other municipality, and before anything is removed when it cannot be filled
 */
export async function practise(
  asOwner: AsOwner,
  { cvr, url, isReset }: { readonly cvr: string; readonly url: string; readonly isReset: boolean },
): Promise<string> {
  const read = () => asOwner((owner) => readTraining(owner, cvr));
  await read();
  const target = { url, token: process.env.CORE_TOKEN || (await localCoreToken(cvr)) };
  await registerCases(target, cvr);
  if (isReset) await asOwner((owner) => requestReset(owner, cvr));
  const before = await untilReset(read);
  const count = await deliverLetters(target, { cvr, ...before }, progress('delivered'));
  const { name, messages } = await read();
  const added = messages - before.messages;
  return `${cvr} ${name}: ${added} of ${count} letters are new. ${messages} messages are there.`;
}

async function localCoreToken(municipality: string): Promise<string> {
  const key = issuerKeyOf(statePaths());
  if (!existsSync(key)) throw new Error('Set CORE_TOKEN to a token of the core of the municipality (Indbakke.System).');
  return issueLocalToken(key, { municipality, user: 'dubu-core', roles: ['Indbakke.System'], system: true });
}

/** Waits while the archiver removes what was there; also after a reset that was asked for before. */
async function untilReset(read: () => Promise<Training>): Promise<Training> {
  let training = await read();
  if (!training.isResetDue) return training;
  const all = training.messages;
  const removed = progress('removed');
  let changedAt = performance.now();
  while (training.isResetDue) {
    await pause(POLL_MS);
    const { messages } = training;
    training = await read();
    if (training.messages !== messages) changedAt = performance.now();
    if (performance.now() - changedAt > PATIENCE_MS) {
      throw new Error(
        'No message has been removed for a minute. Is the archiver running? Then run this again, without --reset.',
      );
    }
    removed(Math.max(0, all - training.messages), all);
  }
  return training;
}

/** One line that changes on a terminal; elsewhere the last one only. */
function progress(what: string): (done: number, of: number) => void {
  return (done, of) => {
    const line = `${what} ${done} of ${of}`;
    if (process.stderr.isTTY) process.stderr.write(`\r\x1b[2K${line}${done === of ? '\n' : ''}`);
    else if (done === of) process.stderr.write(`${line}\n`);
  };
}
