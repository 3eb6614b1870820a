import { DAY } from '@indbakke/shared/config';
import { Problem } from '@indbakke/shared/errors';
import type { HeldCause, Kind } from '@indbakke/shared/lifecycle';
import type { NewMessage, Remark } from './incoming-message.js';
import type { KnownId, StoredMessage } from './known-ids.js';

export interface MunicipalitySettings {
  readonly takesReplies: boolean;
  readonly takesEnquiries: boolean;
  /** In lower case. */
  readonly contactPointIds: ReadonlySet<string>;
}

/** What becomes of a message: an earlier one stands for it, or it is stored. */
export type Decision = { readonly is: 'known'; readonly earlier: StoredMessage } | Accepted;

export interface Accepted {
  readonly is: 'new';
  readonly message: NewMessage;
  readonly change: 'accepted' | 'held';
  /** Why it must wait for someone who decides or sets up, or null when it goes to the inbox. */
  readonly heldCause: HeldCause | null;
}

/**
 * @param known what is here of the message’s id, read under the lock of that id
 * @param settings undefined when the municipality is not one of ours
 * @throws Problem not-our-recipient
 */
export function decide(
  message: NewMessage,
  known: KnownId | undefined,
  settings: MunicipalitySettings | undefined,
): Decision {
  if (!settings) {
    throw new Problem('not-our-recipient', 'The message is addressed to an authority that is not known here.', {
      path: message.paths.municipality,
    });
  }
  if (known && standsFor(known, message)) return { is: 'known', earlier: known.message };
  const heldCause = known ? 'conflict' : heldCauseOf(message.kind, settings);
  const remarks = [...message.remarks, ...remarkOnContactPoint(message, settings)];
  return { is: 'new', message: { ...message, remarks }, change: heldCause ? 'held' : 'accepted', heldCause };
}

/**
 * Nothing deleted comes back: a UUID of which only tombstones are left takes no further message, whatever its content. Ids
 * that are no UUIDs do not count: another message may well have the same.
 */
function standsFor({ sameContent, allDeleted }: KnownId, { externalId }: NewMessage): boolean {
  return sameContent || (allDeleted && externalId.isUuid);
}

function heldCauseOf(kind: Kind, settings: MunicipalitySettings): HeldCause | null {
  if (kind === 'reply') return settings.takesReplies ? null : 'replies-off';
  return settings.takesEnquiries ? null : 'enquiries-off';
}

/** A message to a contact point that nobody has set up is kept all the same: what counts is that it is read. */
function remarkOnContactPoint(
  { contactPointId, paths }: NewMessage,
  { contactPointIds }: MunicipalitySettings,
): Remark[] {
  if (!contactPointId || contactPointIds.has(contactPointId)) return [];
  return [{ code: 'unknown-contact-point', path: paths.contactPointId }];
}

/** Digital Post began later; dates such as 0001-01-01 have been seen in the field. */
const EARLIEST = Date.UTC(2000, 0, 1);

/** The message’s own date when it is from 2000 on and at most a day after it was received (clocks differ), else that. */
export function plausibleDate(letterAt: Date | undefined, receivedAt: Date): Date {
  if (!letterAt || letterAt.getTime() < EARLIEST || letterAt.getTime() > receivedAt.getTime() + DAY) return receivedAt;
  return letterAt;
}
