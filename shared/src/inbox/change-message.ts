import type { ChangeAnswer } from '../api/index.js';
import { Problem } from '../errors/index.js';
import { type Change, type ChangeColumns, type ChangeRequest, firstAnswerTo, writeChange } from '../lifecycle/index.js';
import type { Store, Tx } from '../store/index.js';
import { requireVisible } from './find-message.js';

export interface ChangeEffects extends ChangeColumns {
  /** A further check, in the transaction, before anything changes. */
  readonly check?: (tx: Tx) => Promise<void>;
  /** Whether the rows are those that this request would write, as far as `details` do not say. */
  readonly isRepeat?: (tx: Tx) => Promise<boolean>;
  /** Writes further rows, in the transaction, after the change, which an error undoes. */
  readonly write?: (tx: Tx) => Promise<unknown>;
}

/**
 * Changes a message for a caller in one transaction: checks that the caller sees it, changes it and writes further rows. The
 * repeat of a change whose answer was lost gets that answer, and writes nothing. The caller need not see the message any more
 * then: an unassigned, released or deleted one is out of sight.
 *
 * @throws Problem not-found, version-changed or wrong-status; nothing is changed then
 */
export async function changeMessage(
  store: Store,
  request: ChangeRequest,
  change: Change,
  { check, isRepeat, write, ...columns }: ChangeEffects = {},
): Promise<ChangeAnswer> {
  const { principal, id } = request;
  return store.withTenant(principal.municipality, async (tx) => {
    let result: Awaited<ReturnType<typeof writeChange>>;
    try {
      await requireVisible(tx, principal, id);
      await check?.(tx);
      result = await writeChange(tx, request, change, columns);
    } catch (error) {
      const first = error instanceof Problem ? await firstAnswerTo(tx, request, change, columns.details) : undefined;
      if (!first || (await isRepeat?.(tx)) === false) throw error;
      return { id, ...first };
    }
    await write?.(tx);
    return { id, ...result };
  });
}
