import { BULK_CHANGES, type BulkAnswer, type BulkBody, type ChangeAnswer, OPERATIONS } from '@indbakke/shared/api';
import type { Problem } from '@indbakke/shared/errors';
import { auditRefusal, type Call, describeProblem, logProblem, requireRole, toProblem } from '@indbakke/shared/http';
import { type IdempotencyKey, keyOfItem, once } from '@indbakke/shared/idempotency';
import {
  assign,
  cancelDeletion,
  confirmDeletion,
  deleteMessage,
  journalize,
  reject,
  reopen,
  takeBack,
  tellOutcome,
  unassign,
} from '@indbakke/shared/inbox';
import { CHANGES, type ChangeRequest } from '@indbakke/shared/lifecycle';
import type { Parts } from '@indbakke/shared/service';
import type { Store } from '@indbakke/shared/store';

/** Changes of one bulk at a time, so that others get connections too. */
const AT_ONCE = 4;

const OPERATION = OPERATIONS.bulkChangeIncomingDocuments;

type Action = BulkBody['action'];
type ItemOf<A extends Action> = Extract<BulkBody, { action: A }>['items'][number];
type Make<A extends Action> = (request: ChangeRequest, item: ItemOf<A>) => Promise<ChangeAnswer>;

/**
 * Makes the same change of many messages, each in a transaction of its own. The answers are in the order of the items.
 *
 * @param allowsUnknown whether a message may be journalized on a case that the core has not registered
 * @throws Problem role-missing for the action, or key-reused
 */
export async function changeMany(
  parts: Pick<Parts, 'store' | 'blobs' | 'keys' | 'log' | 'scanning'>,
  { principal: caller, body, at, idempotencyKey: key }: Call<typeof OPERATION>,
  allowsUnknown: boolean,
): Promise<BulkAnswer> {
  const { store, keys, log } = parts;
  const principal = { ...caller, role: requireRole(CHANGES[BULK_CHANGES[body.action]].roles, caller) };
  const makers: { [A in Action]: Make<A> } = {
    assign: (request, item) => assign(store, request, item),
    unassign: (request) => unassign(store, request),
    journalize: (request, item) => journalize(parts, request, item, allowsUnknown),
    'take-back': (request, item) => takeBack(store, request, item),
    reject: (request, item) => reject(store, request, item),
    'tell-outcome': (request, item) => tellOutcome(store, request, item),
    reopen: (request) => reopen(store, request),
    delete: (request, item) => deleteMessage(parts, request, item),
    'confirm-deletion': (request) => confirmDeletion(parts, request),
    'cancel-deletion': (request) => cancelDeletion(parts, request),
  };
  const make = makers[body.action] as Make<Action>;
  let replays = 0;
  /** When the database is away, the other items need not wait for it one after the other. */
  let away: Problem | undefined;

  const outcomeOf = async (item: ItemOf<Action>): Promise<BulkAnswer['items'][number]> => {
    const { id, version: expectedVersion } = item;
    try {
      if (away) throw away;
      const idempotencyKey = key && keyOfItem(keys, key, id, () => void replays++);
      return { id, done: await make({ principal, id, expectedVersion, at, idempotencyKey }, item), problem: null };
    } catch (error) {
      const refusal = toProblem(error);
      const recorded = auditRefusal(store, principal, OPERATION, { messageId: id }, refusal);
      const problem = await recorded.then(() => refusal, toProblem);
      if (problem.code === 'unavailable') away = problem;
      logProblem(log, problem);
      return { id, done: null, problem: describeProblem(problem) };
    }
  };

  if (key) await claim(store, principal.municipality, key);
  const items: BulkAnswer['items'] = [];
  const waiting = body.items.entries();
  const work = async () => {
    for (const [index, item] of waiting) items[index] = await outcomeOf(item);
  };
  await Promise.all(Array.from({ length: AT_ONCE }, work));
  const changed = items.filter(({ done }) => done !== null).length;
  if (replays > 0 && replays === changed) key?.onReplay();
  return { items };
}

/** The key is this bulk’s from now on: another one is refused, and a repeat finishes what this one leaves. */
async function claim(store: Store, municipality: string, key: IdempotencyKey): Promise<void> {
  const silent = { ...key, onReplay: () => {} };
  await store.withTenantConnection(municipality, (connection) =>
    once(connection, municipality, silent, async () => ({})),
  );
}
