import { Problem } from '@indbakke/shared/errors';
import type { HeldCause, Kind } from '@indbakke/shared/lifecycle';
import type { Memo } from '@indbakke/shared/memo';

/** The CVR number that the message is addressed to. */
export function addressee({ header }: Memo): string {
  const path = 'Message/MessageHeader/Recipient/recipientID';
  // MeMo 1.2, messageType: NEMSMS has no body; SF1606 brings digital post.
  if (header.messageType?.toUpperCase() === 'NEMSMS') {
    throw new Problem('nemsms', 'The message is a NemSMS; only digital post is taken in.', {
      path: 'Message/MessageHeader/messageType',
    });
  }
  const { recipientID, idType } = header.recipient ?? {};
  if (!recipientID) throw new Problem('not-our-recipient', 'The message names no recipient.', { path });
  // idType is free text in the schema; lower case is seen (protocol facts, MeMo enumerations).
  if (idType?.toUpperCase() === 'CPR' || /^\d{10}$/.test(recipientID)) {
    throw new Problem(
      'not-our-recipient',
      'The message is addressed to a citizen; only post to a municipality is taken in.',
      { path },
    );
  }
  if (!/^\d{8}$/.test(recipientID)) {
    throw new Problem('not-our-recipient', 'The recipient of the message is not a CVR number.', { path });
  }
  return recipientID;
}

export interface MunicipalitySettings {
  readonly takesReplies: boolean;
  readonly takesEnquiries: boolean;
  readonly contactPointIds: ReadonlySet<string>;
}

/**
 * Why the message must wait for someone who decides or sets up, or null when it goes to the inbox.
 *
 * @param otherContent a message with the same messageUUID is here, and says something else
 */
export function heldCauseOf(kind: Kind, settings: MunicipalitySettings, otherContent: boolean): HeldCause | null {
  if (otherContent) return 'conflict';
  if (kind === 'reply') return settings.takesReplies ? null : 'replies-off';
  return settings.takesEnquiries ? null : 'enquiries-off';
}
