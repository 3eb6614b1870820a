import { HOUR } from '../config/index.js';
import { endOfWorkingDay } from '../working-days/index.js';

// A report of concern (underretning) is assessed within 24 hours of its receipt (sm.dk), and confirmed to the notifier within 6
// working days (municipalities’ pages).
const ASSESS_WITHIN = 24 * HOUR;
const CONFIRM_WITHIN_WORKING_DAYS = 6;

/** When both clocks of a possible report of concern are over. */
export interface ConcernClocks {
  readonly assessBy: Date;
  readonly confirmBy: Date;
}

/** The clocks run from the receipt, whoever marked the message and when. */
export function concernClocksOf(receivedAt: Date): ConcernClocks {
  return {
    assessBy: new Date(receivedAt.getTime() + ASSESS_WITHIN),
    confirmBy: endOfWorkingDay(receivedAt, CONFIRM_WITHIN_WORKING_DAYS),
  };
}

/** The times of a message that its marks set. */
export interface ConcernTimes {
  readonly concernMarkedAt: Date | null;
  readonly concernAssessedAt: Date | null;
  readonly concernConfirmedAt: Date | null;
}

interface Precondition {
  /** These times must be set … */
  readonly set: readonly (keyof ConcernTimes)[];
  /** … and these not. */
  readonly unset: readonly (keyof ConcernTimes)[];
  /** What the refusal says, without a full stop. */
  readonly otherwise: string;
}

const NOT_MARKED = 'The message is not marked as a possible report of concern';

/** What a change of the marks needs besides the status. */
export const CONCERN_CHANGES = {
  'concern-marked': {
    set: [],
    unset: ['concernMarkedAt'],
    otherwise: 'The message is marked as a possible report of concern already',
  },
  'concern-unmarked': { set: ['concernMarkedAt'], unset: [], otherwise: NOT_MARKED },
  'concern-assessed': {
    set: ['concernMarkedAt'],
    unset: ['concernAssessedAt'],
    otherwise: `${NOT_MARKED}, or has been assessed already`,
  },
  'concern-confirmed': {
    set: ['concernMarkedAt'],
    unset: ['concernConfirmedAt'],
    otherwise: `${NOT_MARKED}, or its receipt has been confirmed already`,
  },
} as const satisfies Record<string, Precondition>;

export type ConcernChange = keyof typeof CONCERN_CHANGES;

export function allowsConcernChange(times: ConcernTimes, change: ConcernChange): boolean {
  const { set, unset }: Precondition = CONCERN_CHANGES[change];
  return set.every((time) => times[time] !== null) && unset.every((time) => times[time] === null);
}
