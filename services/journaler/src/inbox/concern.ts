import type { ChangeAnswer } from '@indbakke/shared/api';
import { Problem } from '@indbakke/shared/errors';
import { changeMessage } from '@indbakke/shared/inbox';
import {
  type ChangeColumns,
  type ChangeRequest,
  CONCERN_CHANGES,
  type ConcernChange,
  type ConcernClocks,
  type ConcernTimes,
  concernClocksOf,
} from '@indbakke/shared/lifecycle';
import { Prisma, run, type Store } from '@indbakke/shared/store';

const { sql } = Prisma;

/** Marks a message as a possible report of concern; its clocks run from its receipt. */
export function markConcern(store: Store, request: ChangeRequest): Promise<ChangeAnswer> {
  const { at, principal } = request;
  return changeConcern(store, request, 'concern-marked', ({ assessBy, confirmBy }) => ({
    set: sql`concern_marked_at = ${at}::timestamptz, concern_marked_by = ${principal.actor.id},
      concern_assess_by = ${assessBy}::timestamptz, concern_confirm_by = ${confirmBy}::timestamptz`,
    details: { assessBy: assessBy.toISOString(), confirmBy: confirmBy.toISOString() },
  }));
}

/** Removes the mark, its clocks and when they were met. */
export function unmarkConcern(store: Store, request: ChangeRequest): Promise<ChangeAnswer> {
  return changeConcern(store, request, 'concern-unmarked', () => ({
    set: sql`concern_marked_at = NULL, concern_marked_by = NULL, concern_assess_by = NULL, concern_assessed_at = NULL,
      concern_confirm_by = NULL, concern_confirmed_at = NULL`,
  }));
}

/** Meets the clock of 24 hours: the message has been assessed. */
export function recordAssessment(store: Store, request: ChangeRequest): Promise<ChangeAnswer> {
  const { at } = request;
  return changeConcern(store, request, 'concern-assessed', ({ assessBy }) => ({
    set: sql`concern_assessed_at = ${at}::timestamptz`,
    details: { assessBy: assessBy.toISOString() },
    ownDetails: { assessedAt: at.toISOString() },
  }));
}

/** Meets the clock of 6 working days: the notifier has a confirmation of its receipt. */
export function recordConfirmation(store: Store, request: ChangeRequest): Promise<ChangeAnswer> {
  const { at } = request;
  return changeConcern(store, request, 'concern-confirmed', ({ confirmBy }) => ({
    set: sql`concern_confirmed_at = ${at}::timestamptz`,
    details: { confirmBy: confirmBy.toISOString() },
    ownDetails: { confirmedAt: at.toISOString() },
  }));
}

const COLUMNS: Record<keyof ConcernTimes, Prisma.Sql> = {
  concernMarkedAt: sql`m.concern_marked_at`,
  concernAssessedAt: sql`m.concern_assessed_at`,
  concernConfirmedAt: sql`m.concern_confirmed_at`,
};

function changeConcern(
  store: Store,
  request: ChangeRequest,
  change: ConcernChange,
  columnsOf: (clocks: ConcernClocks) => ChangeColumns,
): Promise<ChangeAnswer> {
  const { set, unset, otherwise } = CONCERN_CHANGES[change];
  const conditions = [
    ...set.map((time) => sql`${COLUMNS[time]} IS NOT NULL`),
    ...unset.map((time) => sql`${COLUMNS[time]} IS NULL`),
  ];
  const isPossible = {
    condition: Prisma.join(conditions, ' AND '),
    otherwise: (allowed: string) => new Problem('wrong-concern', `${otherwise}; ${allowed}`),
  };
  return changeMessage(store, request, change, async (connection) => {
    // Whether the caller sees the message is asked with the change.
    const [found] = await run<{ receivedAt: Date }>(
      connection,
      sql`
        SELECT received_at AS "receivedAt" FROM messages
        WHERE id = ${request.id}::uuid AND municipality = ${request.principal.municipality}`,
    );
    if (!found) throw new Problem('not-found', 'There is no such message, or the caller may not see it.');
    return { ...columnsOf(concernClocksOf(found.receivedAt)), isPossible };
  });
}
