import type { StepAnswer } from '../api/index.js';
import { type StepRequest, type Transition, type TransitionRequest, transition } from '../lifecycle/index.js';
import type { Store, Tx } from '../store/index.js';
import { requireVisible } from './find-message.js';

/** What changes with the step besides the status. */
export interface StepEffects extends Pick<TransitionRequest, 'set' | 'details'> {
  /** Further rows, in the transaction of the step, once it is sure to be allowed. */
  readonly write?: (tx: Tx) => Promise<unknown>;
}

/**
 * Takes one step in the life of a message for a caller: checks that the caller sees it, moves it on, and writes what goes
 * with it, all in one transaction.
 *
 * @throws Problem not-found, version-changed or wrong-status; then nothing is changed
 */
export async function takeStep(
  store: Store,
  { principal, id, expectedVersion, at }: StepRequest,
  step: Exclude<Transition, 'accepted' | 'held'>,
  { write, ...effects }: StepEffects = {},
): Promise<StepAnswer> {
  const { municipality, actor } = principal;
  return store.withTenant(municipality, async (tx) => {
    await requireVisible(tx, principal, id);
    const request = { messageId: id, municipality, transition: step, expectedVersion, actor, at, ...effects };
    const result = await transition(tx, request);
    await write?.(tx);
    return { id, ...result };
  });
}
