import { Problem } from '@indbakke/shared/errors';
import { cprNumberOf, cvrNumberOf } from '@indbakke/shared/ids';
import type { Memo } from '@indbakke/shared/memo';

export const ADDRESSEE_PATH = 'Message/MessageHeader/Recipient/recipientID';

/** The CVR number that the message is addressed to. */
export function addressee({ header }: Memo): string {
  // MeMo 1.2, messageType: a NEMSMS has no body; SF1606 delivers digital post.
  if (header.messageType?.toUpperCase() === 'NEMSMS') {
    throw new Problem('nemsms', 'The message is a NemSMS; only digital post is accepted.', {
      path: 'Message/MessageHeader/messageType',
    });
  }
  const { recipientID, idType } = header.recipient ?? {};
  if (!recipientID) throw new Problem('not-our-recipient', 'The message names no recipient.', { path: ADDRESSEE_PATH });
  // idType is free text in the schema; lower case occurs (protocol facts, MeMo enumerations).
  if (idType?.toUpperCase() === 'CPR' || cprNumberOf(recipientID) !== undefined) {
    const detail = 'The message is addressed to a citizen; only messages to a municipality are accepted.';
    throw new Problem('not-our-recipient', detail, { path: ADDRESSEE_PATH });
  }
  const cvrNumber = cvrNumberOf(recipientID);
  if (cvrNumber === undefined) {
    throw new Problem('not-our-recipient', 'The recipient of the message is not a CVR number.', {
      path: ADDRESSEE_PATH,
    });
  }
  return cvrNumber;
}
