import { visibleTo } from '../access/index.js';
import type { ChangeAnswer } from '../api/index.js';
import { Problem } from '../errors/index.js';
import { once } from '../idempotency/index.js';
import {
  type Change,
  type ChangeColumns,
  type ChangeConditions,
  type ChangeRequest,
  firstAnswerTo,
  writeChange,
} from '../lifecycle/index.js';
import type { Connection, Store } from '../store/index.js';

export interface ChangeEffects extends ChangeColumns, Pick<ChangeConditions, 'isAllowed' | 'isPossible'> {
  /** Whether the rows are those that this request would write, as far as `details` do not say. */
  readonly isRepeat?: (connection: Connection) => Promise<boolean>;
  /** Writes further rows, in the transaction, after the change, which an error undoes. */
  readonly write?: (connection: Connection) => Promise<unknown>;
}

/**
 * Changes a message for a caller in one transaction: checks that the caller sees it, changes it and writes further rows. The
 * repeat of a change whose answer was lost gets that answer, and writes nothing: by its Idempotency-Key whatever came after,
 * without one as long as nothing did. The caller need not see the message any more then: an unassigned, released or deleted
 * one is out of sight.
 *
 * @throws Problem key-reused, not-found, version-changed or wrong-status; nothing is changed then
 */
export async function changeMessage(
  store: Store,
  request: ChangeRequest,
  change: Change,
  { isAllowed, isPossible, isRepeat, write, ...columns }: ChangeEffects = {},
): Promise<ChangeAnswer> {
  const { principal, id, idempotencyKey } = request;
  const conditions = {
    isVisible: visibleTo(principal),
    ...(isAllowed && { isAllowed }),
    ...(isPossible && { isPossible }),
  };
  return store.withTenantConnection(principal.municipality, (connection) =>
    once(connection, principal.municipality, idempotencyKey, async () => {
      let result: Awaited<ReturnType<typeof writeChange>>;
      try {
        result = await writeChange(connection, request, change, columns, conditions);
      } catch (error) {
        if (!(error instanceof Problem)) throw error;
        const first = await firstAnswerTo(connection, request, change, columns);
        if (!first || (await isRepeat?.(connection)) === false) throw error;
        return { id, ...first };
      }
      await write?.(connection);
      return { id, ...result };
    }),
  );
}
