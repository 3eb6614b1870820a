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
  /** The change that it becomes instead. */
  readonly change?: Change;
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
 * @param effects or what finds them out, in the same transaction
 * @throws Problem key-reused, not-found, version-changed or wrong-status; nothing is changed then
 */
export function changeMessage(
  store: Store,
  request: ChangeRequest,
  change: Change,
  effects: ChangeEffects | ((connection: Connection) => Promise<ChangeEffects>) = {},
): Promise<ChangeAnswer> {
  const { municipality } = request.principal;
  return store.withTenantConnection(municipality, (connection) =>
    once(connection, municipality, request.idempotencyKey, async () => {
      const { change: instead = change, ...rest } = typeof effects === 'function' ? await effects(connection) : effects;
      return changeNow(connection, request, instead, rest);
    }),
  );
}

async function changeNow(
  connection: Connection,
  request: ChangeRequest,
  change: Change,
  { isAllowed, isPossible, isRepeat, write, ...columns }: Omit<ChangeEffects, 'change'>,
): Promise<ChangeAnswer> {
  const { principal, id } = request;
  const conditions = {
    isVisible: visibleTo(principal),
    ...(isAllowed && { isAllowed }),
    ...(isPossible && { isPossible }),
  };
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
}
