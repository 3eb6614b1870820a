import { AsyncLocalStorage } from 'node:async_hooks';

const current = new AsyncLocalStorage<string | undefined>();

/**
 * Runs work whose statements see the messages of some contact points only, and held ones, by row-level security: a second line of
 * defence behind their own conditions.
 *
 * @param sets data constraints as JSON, of which a contact point must meet one; undefined = no limits, also within work that has some
 */
export function withLimits<T>(sets: string | undefined, work: () => T): T {
  return current.run(sets, work);
}

/** The limits of what runs now. */
export const currentLimits = (): string | undefined => current.getStore();
