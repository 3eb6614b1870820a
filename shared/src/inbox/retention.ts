import { DAY } from '../config/index.js';
import { Prisma } from '../store/index.js';

const { sql } = Prisma;

/** How long a municipality keeps what is handled; null = for ever. */
export interface Retention {
  readonly removeContentAfterDays: number | null;
  readonly flagRejectedAfterDays: number | null;
}

/**
 * Whose content goes, as a condition on `messages AS m`. Whatever waits, is held or was taken back is in another status; a legal hold
 * stops it; and one whose numbers are not hashed yet, from before the subjects of the log, waits until they are.
 *
 * @param before journalized before this; undefined: nothing goes
 */
export function hasDueContent(before: Date | undefined): Prisma.Sql {
  return sql`(${isJournalizedWithContent(before)} AND NOT m.legal_hold)`;
}

/** Whose content would go, also under a legal hold. */
export function isJournalizedWithContent(before: Date | undefined): Prisma.Sql {
  if (!before) return sql`false`;
  return sql`(m.status = 'journalized' AND m.content_removed_at IS NULL AND m.handled_at < ${before}::timestamptz
    AND NOT EXISTS (SELECT FROM unhashed_messages u WHERE u.message_id = m.id))`;
}

// Under no legal hold, and not about to be destroyed anyway.
const FOR_A_PERSON = sql`m.status = 'rejected' AND NOT m.legal_hold AND m.deletion_due_at IS NULL`;

/** Which rejected messages are for a person to delete, as a condition on `messages AS m`: never null. */
export function isFlagged(before: Date | undefined): Prisma.Sql {
  if (!before) return sql`false`;
  return sql`(${FOR_A_PERSON} AND m.handled_at < ${before}::timestamptz)`;
}

/**
 * The same by the settings of the municipality that the transaction is bound to, which PostgreSQL reads once a statement; null where
 * nothing is set.
 */
export function flaggedAt(now: Date): Prisma.Sql {
  return sql`(${FOR_A_PERSON} AND m.handled_at < ${now}::timestamptz - make_interval(days => (
    SELECT flag_rejected_after_days FROM municipalities WHERE cvr = current_setting('indbakke.municipality', true))))`;
}

/** @returns undefined when nothing is old enough, ever */
export function daysBefore(now: Date, days: number | null): Date | undefined {
  return days === null ? undefined : new Date(now.getTime() - days * DAY);
}
