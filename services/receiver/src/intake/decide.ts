import { DAY, MINUTE } from '@indbakke/shared/config';
import { Problem } from '@indbakke/shared/errors';
import {
  type Assignee,
  type ConcernClocks,
  concernClocksOf,
  type HeldCause,
  heldCauseOf,
} from '@indbakke/shared/lifecycle';
import type { NewMessage, Remark } from './incoming-message.js';
import type { KnownId, StoredMessage } from './known-ids.js';
import { withMeanings } from './label-meanings.js';
import type { MunicipalitySettings } from './municipality.js';

/** A message is known already, or stored, or its municipality does not take it now. */
export type Decision =
  | { readonly is: 'known'; readonly earlier: StoredMessage }
  | { readonly is: 'refused'; readonly problem: Problem }
  | Accepted;

export interface Accepted {
  readonly is: 'new';
  readonly message: NewMessage;
  readonly receivedAt: Date;
  readonly firstOfferedAt: Date;
  /** The message’s own date, if plausible. */
  readonly letterAt: Date;
  /** The same as the message says, also when it is not plausible. */
  readonly sentAt: Date | undefined;
  /** Whether that date is much older than the receipt: moved from Virk, or fetched anew. */
  readonly late: boolean;
  /** When the sender wants an answer by, if plausible. */
  readonly replyBy: Date | undefined;
  /** Undefined when it is not marked as a possible report of concern. */
  readonly concern: ConcernClocks | undefined;
  readonly remarks: readonly Remark[];
  readonly change: 'accepted' | 'held';
  /** Why it is held, or null when it goes to the inbox. */
  readonly heldCause: HeldCause | null;
  /** Who is told that it is held. */
  readonly heldContact: Assignee | null;
  /** Whom its contact point assigns it to. */
  readonly assignee: Assignee | null;
}

/**
 * @param known what is stored under the message’s id, read while that id is locked
 * @param settings undefined for a municipality that is not set up
 * @param now by the database’s clock, and by the one of `performance.now()`
 * @throws Problem not-our-recipient
 */
export function decide(
  message: NewMessage,
  known: KnownId | undefined,
  settings: MunicipalitySettings | undefined,
  { receivedAt, clock }: { readonly receivedAt: Date; readonly clock: number },
): Decision {
  if (!settings) {
    throw new Problem('not-our-recipient', 'The message is addressed to an unknown municipality.', {
      path: message.paths.municipality,
    });
  }
  if (known && isDuplicate(known, message)) return { is: 'known', earlier: known.message };
  const contactPoint = message.contactPointId ? settings.contactPoints.get(message.contactPointId) : null;
  const heldCause = known ? 'conflict' : heldCauseOf(message.kind, settings, contactPoint);
  const rule = heldCause && settings.heldRules[heldCause];
  if (rule && rule.action !== 'hold') return { is: 'refused', problem: problemOf(rule.action, heldCause, settings) };
  const letterAt = plausibleDate(message.letterAt, receivedAt);
  return {
    is: 'new',
    message: contactPoint ? withMeanings(message, contactPoint) : message,
    receivedAt,
    // By how long ago that was, so that both times are of one clock.
    firstOfferedAt: new Date(receivedAt.getTime() - (clock - message.offeredAt)),
    letterAt,
    sentAt: message.letterAt && message.letterAt.getTime() >= YEAR_ONE ? message.letterAt : undefined,
    late: receivedAt.getTime() - letterAt.getTime() > settings.lateAfterDays * DAY,
    replyBy: isPlausibleReplyBy(message.replyBy, receivedAt) ? message.replyBy : undefined,
    concern: contactPoint?.isConcern ? concernClocksOf(receivedAt) : undefined,
    remarks: [...message.remarks, ...dateRemarks(message, receivedAt)],
    change: heldCause ? 'held' : 'accepted',
    heldCause,
    heldContact: rule?.contact ?? null,
    assignee: contactPoint?.assignee ?? null,
  };
}

function problemOf(
  action: 'refuse' | 'send-again',
  cause: HeldCause,
  { isTraining }: Pick<MunicipalitySettings, 'isTraining'>,
): Problem {
  const why = `The municipality has set it up so. Cause: ${cause}.`;
  return action === 'refuse'
    ? new Problem('not-taken-here', `Such messages are refused. ${why}`, { isTraining })
    : new Problem('not-yet', `Such messages are taken later. ${why}`, { isTraining });
}

/**
 * Nothing deleted comes back: a UUID with only tombstones left accepts no further message, whatever its content. Other ids
 * are not unique, so another message may well have the same one.
 */
function isDuplicate({ sameContent, allDeleted }: KnownId, { externalId }: NewMessage): boolean {
  return sameContent || (allDeleted && externalId.isUnique);
}

/** PostgreSQL has no year 0, which is what 0001-01-01 is in UTC when it was meant in Danish time: no date. */
const YEAR_ONE = Date.parse('0001-01-01T00:00:00Z');

/** Digital Post is younger; dates such as 0001-01-01 do occur. */
const EARLIEST = Date.UTC(2000, 0, 1);

/** The message’s own date if it is from 2000 on and not after the receipt, else the time of receipt. */
export function plausibleDate(letterAt: Date | undefined, receivedAt: Date): Date {
  return !letterAt || letterAt.getTime() < EARLIEST || letterAt > receivedAt ? receivedAt : letterAt;
}

/** Later ones, such as 9999-12-31, mean that there is none. */
const LONGEST_REPLY_TIME = 10 * 365 * DAY;

function isPlausibleReplyBy(replyBy: Date | undefined, receivedAt: Date): boolean {
  const time = replyBy?.getTime() ?? EARLIEST;
  return time >= EARLIEST && time <= receivedAt.getTime() + LONGEST_REPLY_TIME;
}

/** Clocks differ by less, if they are set. */
const CLOCKS_DIFFER = 5 * MINUTE;

function dateRemarks({ letterAt, replyBy, paths }: NewMessage, receivedAt: Date): Remark[] {
  const remarks: Remark[] = [];
  const remark = (code: string, path: string) => remarks.push({ code, path });
  if (letterAt && letterAt.getTime() < EARLIEST) remark('dated-before-2000', paths.letterAt);
  if (letterAt && letterAt.getTime() > receivedAt.getTime() + CLOCKS_DIFFER)
    remark('dated-after-receipt', paths.letterAt);
  if (!isPlausibleReplyBy(replyBy, receivedAt)) remark('implausible-reply-by', paths.replyBy);
  return remarks;
}
