import type { ChangeAnswer } from '../api/index.js';
import { type Change, type ChangeColumns, type ChangeRequest, writeChange } from '../lifecycle/index.js';
import type { Store, Tx } from '../store/index.js';
import { requireVisible } from './find-message.js';

export interface ChangeEffects extends ChangeColumns {
  /** A further check, in the transaction, before anything changes. */
  readonly check?: (tx: Tx) => Promise<void>;
  /** Writes further rows, in the transaction, after the change. */
  readonly write?: (tx: Tx) => Promise<unknown>;
}

/**
 * Changes a message for a caller in one transaction: checks that the caller sees it, changes it and writes further rows.
 *
 * @throws Problem not-found, version-changed or wrong-status; nothing is changed then
 */
export async function changeMessage(
  store: Store,
  request: ChangeRequest,
  change: Change,
  { check, write, ...columns }: ChangeEffects = {},
): Promise<ChangeAnswer> {
  const { principal, id } = request;
  return store.withTenant(principal.municipality, async (tx) => {
    await requireVisible(tx, principal, id);
    await check?.(tx);
    const result = await writeChange(tx, request, change, columns);
    await write?.(tx);
    return { id, ...result };
  });
}
