// Often enough that nobody notices the wait, and seldom enough to cost nothing at a thousand commits a second.
const EVERY_MS = 50;

/** The channel of NOTIFY that says: rows may have been committed that have no position yet. */
export const CHANGES_CHANNEL = 'indbakke_changes';

export interface Nudge {
  /** Call it after a commit. */
  (): void;
  stop(): void;
}

/**
 * Sends at once, and again for the calls of the next 50 ms at their end. Never in the transaction of a change: PostgreSQL
 * commits transactions with NOTIFY one after the other. One may be lost; the numberer looks by itself too.
 */
export function createNudge(send: () => Promise<unknown>): Nudge {
  let timer: NodeJS.Timeout | undefined;
  let isWanted = false;
  const nudge = () => {
    if (timer) {
      isWanted = true;
      return;
    }
    isWanted = false;
    send().catch(() => {});
    timer = setTimeout(() => {
      timer = undefined;
      if (isWanted) nudge();
    }, EVERY_MS);
  };
  return Object.assign(nudge, { stop: () => clearTimeout(timer) });
}
