import type { Kind } from './message.js';
import type { HeldCause } from './statuses.js';

export const PURPOSES = {
  replies: 'For replies.',
  enquiries: 'For enquiries and forwarded messages.',
  both: 'For all messages.',
} as const;
export type Purpose = keyof typeof PURPOSES;

/** What a municipality has decided to take in. */
export interface TakesIn {
  readonly isLive: boolean;
  readonly takesReplies: boolean;
  readonly takesEnquiries: boolean;
  /** Whether any contact point is set up, or was. Where none ever was, none is unknown (docs/decisions/0031). */
  readonly hasContactPoints: boolean;
}

/** The same as columns of `municipalities`. */
export const TAKES_IN = `
  is_live AS "isLive", takes_replies AS "takesReplies", takes_enquiries AS "takesEnquiries",
  EXISTS (SELECT FROM contact_points WHERE municipality = cvr) AS "hasContactPoints"`;

/** Whom a contact point assigns its messages to, in SQL: an Assignee as JSON, or null. */
export const ASSIGNEE_OF_POINT = `
  CASE WHEN assignee_id IS NOT NULL THEN json_build_object('kind', assignee_kind, 'id', assignee_id) END`;

export interface ContactPointState {
  readonly purpose: Purpose;
  readonly isActive: boolean;
}

/**
 * Why a message is not for the inbox as its municipality is set up, apart from a conflict; null if it is.
 *
 * @param contactPoint the one it was sent to: null = to none; undefined = to one that is not set up
 */
export function heldCauseOf(
  kind: Kind,
  municipality: TakesIn,
  contactPoint: ContactPointState | null | undefined,
): HeldCause | null {
  if (!municipality.isLive) return 'not-live';
  if (contactPoint === undefined && municipality.hasContactPoints) return 'unknown-contact-point';
  if (contactPoint && !(contactPoint.isActive && isFor(contactPoint.purpose, kind))) return 'contact-point-off';
  if (kind === 'reply') return municipality.takesReplies ? null : 'replies-off';
  return municipality.takesEnquiries ? null : 'enquiries-off';
}

function isFor(purpose: Purpose, kind: Kind): boolean {
  return purpose === 'both' || (purpose === 'replies') === (kind === 'reply');
}
