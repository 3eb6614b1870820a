import { Prisma } from '../store/index.js';

const { sql } = Prisma;

/** How far a message is that is sent on to another authority through Fordelingskomponenten. */
export const ONWARD_STATUSES = {
  waiting: 'Its file is to be put on the SFTP server.',
  uploaded: 'Its file is there, and Fordelingskomponenten is to be told, or may have been.',
  sent: 'Fordelingskomponenten has taken it; whether the recipient keeps it is not known yet.',
  accepted: 'The recipient has taken it over.',
  rejected: 'Fordelingskomponenten or the recipient does not take it.',
  failed: 'It could not be sent, or the recipient could not take it in.',
} as const;
export type OnwardStatus = keyof typeof ONWARD_STATUSES;

/** A receipt of what was sent on (SF2900 2.4, ForretningsValideringsKode). */
export const ONWARD_CODES = {
  MODTAGET: 'It has come.',
  AFLEVERET: 'It has been handed over.',
  ACCEPTERET: 'It is taken over.',
  AFVIST: 'It is not taken.',
  FEJLET: 'It could not be taken in.',
} as const;
export type OnwardCode = keyof typeof ONWARD_CODES;

/** The code that a text is, in whatever case; undefined for any other text. */
export function onwardCodeOf(text: string): OnwardCode | undefined {
  const code = text.toUpperCase();
  return Object.hasOwn(ONWARD_CODES, code) ? (code as OnwardCode) : undefined;
}

/** Not sent for certain: its content is still needed. */
export const isOnItsWay = (status: OnwardStatus | null): boolean => status === 'waiting' || status === 'uploaded';

/** It may be sent on, for the first time or anew. */
export const maySendOn = (status: OnwardStatus | null): boolean =>
  status === null || status === 'rejected' || status === 'failed';

/** Of `messages AS m`: how far it is with being sent on; null of one that is not. Only a rejected one costs a look-up. */
export const ONWARD_STATUS = sql`
  CASE WHEN m.status = 'rejected' THEN (
    SELECT status FROM onward_distributions WHERE message_id = m.id ORDER BY at DESC, id DESC LIMIT 1) END`;
