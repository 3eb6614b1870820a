import { requireMunicipality } from '@indbakke/shared/access';
import type { OPERATIONS, ReplySetUp } from '@indbakke/shared/api';
import { insertAudit } from '@indbakke/shared/audit';
import { atDanishTime, danishDayOf, plusDays } from '@indbakke/shared/danish-time';
import { Problem } from '@indbakke/shared/errors';
import type { Call } from '@indbakke/shared/http';
import { uuidOf } from '@indbakke/shared/ids';
import { type Connection, run } from '@indbakke/shared/store';
import type { CoreParts } from '../core/register.js';
import { requestSuggestionsOfSent, storeSentMessage } from '../core/store-sent-message.js';
import { readAnswered, recordAnswer } from './answered.js';
import { xmlOf } from './memo-xml.js';
import { findPlace, type Place, type ReplySettings, readReplySettings } from './place.js';
import { replyDataOf } from './reply-data.js';

type SetUpCall = Call<typeof OPERATIONS.setUpReply>;

/**
 * Registers a letter that is about to be sent, and tells what it must carry so that its recipient can answer it, and an answer
 * finds its case.
 *
 * @param ownSystemId generatingSystemID of the core
 * @throws Problem not-found (of the municipality, or of the answered message), bad-request without a contact point where one is
 *   needed, or with the id of the answered message, no-place-for-replies, reply-not-wanted; nothing is registered then
 */
export async function setUpReply(
  parts: CoreParts,
  ownSystemId: string,
  { principal, body, at }: SetUpCall,
): Promise<ReplySetUp> {
  const { municipality } = principal;
  const { messageUUID: messageUuid, messageId, caseId, recipientId, answers } = body;
  const { given, stored, answer } = await parts.store.withTenantConnection(municipality, async (connection) => {
    await requireMunicipality((statement) => run(connection, statement), municipality);
    const settings = await readReplySettings(connection, municipality);
    const answered = answers === null ? undefined : await readAnswered(connection, principal, answers);
    if (answered && uuidOf(answered.header.messageUUID) === messageUuid) throw noLetterOfItsOwn();
    const place = await placeOf(connection, municipality, settings, body, answered?.contactPointId);
    const given = {
      messageUuid,
      caseId,
      messageId,
      recipientId,
      contactPointId: place?.contactPointID ?? null,
      setUpAt: at,
      answeredMessageId: answers,
    };
    const stored = await storeSentMessage(connection, parts.keys, municipality, given);
    const before = stored.before?.answeredMessageId ?? null;
    await recordAnswer(connection, { principal, at }, messageUuid, { before, now: answers });
    const details = { messageUuid, caseId, ...(place && { contactPoint: place.contactPointID }) };
    // With the message, since what came before it is told.
    const entry = { by: principal, at, action: 'reply-set-up', messageId: answers ?? undefined, details } as const;
    await run(connection, insertAudit(entry));
    const own = {
      messageID: messageId,
      messageUUID: messageUuid,
      replyUUID: null,
      senderID: municipality,
      recipientID: null, // the citizen’s number is of no use in what comes back
      caseID: caseId,
      contactPointID: place?.contactPointID ?? null,
      generatingSystemID: ownSystemId,
      additionalReplyData: [],
    };
    const setUp = {
      reply: place !== null,
      notAnswerable: place ? null : ('letters-not-answerable' as const),
      replyByDateTime: place && replyBy(at, settings),
      contactPoint: place,
      replyData: replyDataOf(own, recipientId, answered?.header),
    };
    return { given, stored, answer: { ...setUp, xml: xmlOf(setUp) } };
  });
  await requestSuggestionsOfSent(parts, municipality, given, stored);
  return answer;
}

/** @returns null when the municipality’s letters cannot be answered */
function placeOf(
  connection: Connection,
  municipality: string,
  settings: ReplySettings,
  { contactPointId, recipientId }: SetUpCall['body'],
  ofAnswered: string | null | undefined,
): Promise<Place | null> {
  if (!settings.lettersAnswerable) return Promise.resolve(null);
  const id = contactPointId ?? ofAnswered;
  if (id) {
    return findPlace(connection, municipality, settings, { id, isNamed: contactPointId !== null, recipientId });
  }
  const detail =
    'body.contactPointId: is required for a letter that answers no message, or one that was sent to no contact point.';
  throw new Problem('bad-request', detail, { path: 'body.contactPointId' });
}

/** Registered, it would be a message that the core sent from the case. */
function noLetterOfItsOwn(): Problem {
  const detail = 'body.messageUUID: is that of the message that the letter answers. Give the letter one of its own.';
  return new Problem('bad-request', detail, { path: 'body.messageUUID' });
}

/** The end of the last day that the recipient has. */
function replyBy(at: Date, { replyDays }: ReplySettings): string | null {
  if (replyDays === null) return null;
  return atDanishTime(plusDays(danishDayOf(at), replyDays), '23:59:59').toISOString();
}
