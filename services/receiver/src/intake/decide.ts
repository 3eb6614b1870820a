import { DAY, MINUTE } from '@indbakke/shared/config';
import { Problem } from '@indbakke/shared/errors';
import { type ConcernClocks, concernClocksOf, type HeldCause, type Kind } from '@indbakke/shared/lifecycle';
import type { NewMessage, Remark } from './incoming-message.js';
import type { KnownId, StoredMessage } from './known-ids.js';

export interface MunicipalitySettings {
  readonly takesReplies: boolean;
  readonly takesEnquiries: boolean;
  /** A message whose own date is older is late. */
  readonly lateAfterDays: number;
  /** In their normal form. */
  readonly contactPointIds: ReadonlySet<string>;
  /** Those whose messages are marked as possible reports of concern. */
  readonly concernContactPointIds: ReadonlySet<string>;
}

/** A message is either known already, or stored. */
export type Decision = { readonly is: 'known'; readonly earlier: StoredMessage } | Accepted;

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
  const heldCause = known ? 'conflict' : heldCauseOf(message.kind, settings);
  const remarks = [...message.remarks, ...contactPointRemarks(message, settings), ...dateRemarks(message, receivedAt)];
  const letterAt = plausibleDate(message.letterAt, receivedAt);
  return {
    is: 'new',
    message,
    receivedAt,
    // By how long ago that was, so that both times are of one clock.
    firstOfferedAt: new Date(receivedAt.getTime() - (clock - message.offeredAt)),
    letterAt,
    sentAt: message.letterAt && message.letterAt.getTime() >= YEAR_ONE ? message.letterAt : undefined,
    late: receivedAt.getTime() - letterAt.getTime() > settings.lateAfterDays * DAY,
    replyBy: isPlausibleReplyBy(message.replyBy, receivedAt) ? message.replyBy : undefined,
    concern: settings.concernContactPointIds.has(message.contactPointId ?? '')
      ? concernClocksOf(receivedAt)
      : undefined,
    remarks,
    change: heldCause ? 'held' : 'accepted',
    heldCause,
  };
}

/**
 * Nothing deleted comes back: a UUID with only tombstones left accepts no further message, whatever its content. Other ids
 * are not unique, so another message may well have the same one.
 */
function isDuplicate({ sameContent, allDeleted }: KnownId, { externalId }: NewMessage): boolean {
  return sameContent || (allDeleted && externalId.isUuid);
}

function heldCauseOf(kind: Kind, settings: MunicipalitySettings): HeldCause | null {
  if (kind === 'reply') return settings.takesReplies ? null : 'replies-off';
  return settings.takesEnquiries ? null : 'enquiries-off';
}

/** An unknown contact point is only a remark: the message must still reach the inbox. */
function contactPointRemarks(
  { contactPointId, paths }: NewMessage,
  { contactPointIds }: MunicipalitySettings,
): Remark[] {
  if (!contactPointId || contactPointIds.has(contactPointId)) return [];
  return [{ code: 'unknown-contact-point', path: paths.contactPointId }];
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
