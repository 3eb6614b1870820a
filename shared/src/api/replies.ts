import { z } from 'zod';
import { isMemoUuid } from '../memo/index.js';
import { ContactPointId } from './set-up.js';
import { CaseId, keyOf, NAMED_ANSWERS, NAMED_REQUESTS, Party, text, time, UUID_FORMS, Uuid } from './values.js';

// The schemas of a letter that is about to be sent, and of what it must carry so that its recipient can answer it.

/** Of a text that goes into XML, which does not take all of them, and comes back from the citizen’s client (XML 1.0, 2.2). */
const NOT_FOR_XML = /[\p{Cc}\uFFFE\uFFFF]/u;
const forXml = <T extends z.ZodType<string, string>>(schema: T) =>
  schema.refine((value) => !NOT_FOR_XML.test(value), {
    error: 'must not contain control characters, U+FFFE or U+FFFF',
  });
/** A text that was set up elsewhere, for the same use. */
export const textForXml = (text: string) => text.replaceAll(new RegExp(NOT_FOR_XML, 'gu'), ' ');

const LETTER_UUID = '7d5f3a10-2c41-4b8e-8f06-5a9b1c3d2e4f';
const INBOUND_UUID = 'b1d6f0aa-3c2e-4f7b-9a51-0c9e8d7f6a22';
const POINT_ID = '241d39f6-998e-4929-b198-ccacbbf4b330';

export const ReplySetUpBody = z
  .strictObject({
    messageUUID: Uuid.refine(isMemoUuid, { error: 'must be a UUID of version 4, which MeMo requires' }).describe(
      `messageUUID of the MeMo that is about to be sent, of version 4: ${UUID_FORMS}`,
    ),
    messageId: forXml(text(256)).nullable().default(null).describe('messageID of it; null: none'),
    caseId: forXml(CaseId).describe('The case that it is sent from'),
    recipientId: Party.describe('CPR or CVR number of the recipient; stored as a keyed hash'),
    contactPointId: forXml(ContactPointId)
      .nullable()
      .default(null)
      .describe(
        'Where answers to it are to go. null: to the contact point that the answered message was sent to; for a letter that answers none, only where letters cannot be answered',
      ),
    answers: Uuid.nullable().default(null).describe('Id of the message that it answers; null: it answers none'),
  })
  .meta({
    examples: [{ messageUUID: LETTER_UUID, caseId: 'BF-1', recipientId: '4101019999', contactPointId: POINT_ID }],
  })
  .register(NAMED_REQUESTS, { id: 'LetterToSetUp' });

/** Why the recipient of a letter cannot answer it. */
const NOT_ANSWERABLE = {
  'letters-not-answerable': 'The municipality has decided that its letters may not be answered.',
} as const;

const Pair = z
  .object({ label: z.string().describe('MeMo’s label'), value: z.string().describe('MeMo’s value') })
  .register(NAMED_ANSWERS, { id: 'AdditionalReplyData' });

const part = (meaning: string) => z.string().nullable().describe(`${meaning}; null: without it`);

/** An entry of MeMo’s ReplyData, under its names and in its order (MeMo 1.2, ReplyData). */
export const ReplyDataEntry = z
  .object({
    messageID: part('The sender’s own id of the message'),
    messageUUID: z.string().describe('The message'),
    replyUUID: part('The message that it answers'),
    senderID: part('CPR or CVR number of its sender; a CPR number only if it is that of the letter’s recipient'),
    recipientID: part('CPR or CVR number of its recipient; a CPR number only if it is that of the letter’s recipient'),
    caseID: part('The case that it is of'),
    contactPointID: part('Where answers to it go'),
    generatingSystemID: part('The system that made it'),
    additionalReplyData: z.array(Pair).describe('As it came'),
  })
  .register(NAMED_ANSWERS, { id: 'ReplyData' });
export type ReplyDataEntry = z.infer<typeof ReplyDataEntry>;

const MemoContactPoint = z
  .object({ contactPointID: z.string().describe('In Digital Post'), label: part('Its name') })
  .register(NAMED_ANSWERS, { id: 'ReplyContactPoint' });

const ReplyXml = z
  .object({
    reply: z.string().describe('`reply`'),
    replyByDateTime: part('`replyByDateTime`'),
    contactPoint: part('`ContactPoint`, the last element but `Representative` of `Sender`'),
    replyData: z.string().describe('All `ReplyData`, the last elements of `MessageHeader`'),
  })
  .register(NAMED_ANSWERS, { id: 'ReplySetUpXml' });

const MEMO_1 = 'https://DigitalPost.dk/MeMo-1';
const OWN_ENTRY = {
  messageID: null,
  messageUUID: LETTER_UUID,
  replyUUID: INBOUND_UUID,
  senderID: '22222222',
  recipientID: null,
  caseID: 'BF-1',
  contactPointID: POINT_ID,
  generatingSystemID: 'DUBU',
  additionalReplyData: [],
};

/** What the letter must carry, under MeMo’s names, and the same as XML. */
export const ReplySetUp = z
  .object({
    reply: z.boolean().describe('Of `MessageHeader`: whether the recipient can answer'),
    notAnswerable: keyOf('NotAnswerable', NOT_ANSWERABLE).nullable().describe('Why not; null: the recipient can'),
    replyByDateTime: time
      .nullable()
      .describe('Of `MessageHeader`: the end of the last day, in Danish time; null: without it'),
    contactPoint: MemoContactPoint.nullable().describe('Of `Sender`: where answers go; null: without it'),
    replyData: z
      .array(ReplyDataEntry)
      .describe('Of `MessageHeader`: an entry for each message that came before, oldest first, and that of the letter'),
    xml: ReplyXml.describe('The same elements as XML of MeMo 1.2, each with its namespace'),
  })
  .meta({
    examples: [
      {
        reply: true,
        notAnswerable: null,
        replyByDateTime: '2026-12-11T22:59:59.000Z',
        contactPoint: { contactPointID: POINT_ID, label: 'Børn og familie' },
        replyData: [OWN_ENTRY],
        xml: {
          reply: `<memo:reply xmlns:memo="${MEMO_1}">true</memo:reply>`,
          replyByDateTime: `<memo:replyByDateTime xmlns:memo="${MEMO_1}">2026-12-11T22:59:59.000Z</memo:replyByDateTime>`,
          contactPoint: `<memo:ContactPoint xmlns:memo="${MEMO_1}"><memo:contactPointID>${POINT_ID}</memo:contactPointID><memo:label>Børn og familie</memo:label></memo:ContactPoint>`,
          replyData: `<memo:ReplyData xmlns:memo="${MEMO_1}"><memo:messageUUID>${LETTER_UUID}</memo:messageUUID><memo:replyUUID>${INBOUND_UUID}</memo:replyUUID><memo:senderID>22222222</memo:senderID><memo:caseID>BF-1</memo:caseID><memo:contactPointID>${POINT_ID}</memo:contactPointID><memo:generatingSystemID>DUBU</memo:generatingSystemID></memo:ReplyData>`,
        },
      },
    ],
  })
  .register(NAMED_ANSWERS, { id: 'ReplySetUp' });
export type ReplySetUp = z.infer<typeof ReplySetUp>;
