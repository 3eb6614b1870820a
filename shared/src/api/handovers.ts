import { z } from 'zod';
import { HANDOVER_REFUSALS, HANDOVER_STATUSES } from '../lifecycle/index.js';
import { HANDOVER_FACTS } from './documents.js';
import { CaseId, Kind, keyOf, NAMED_ANSWERS, NAMED_REQUESTS, time, wholeNumber } from './values.js';

// The schemas of handovers: a message that is offered to another municipality of this installation, to which its case moved.

const DIRECTIONS = {
  in: 'Offered to this municipality.',
  out: 'Offered by this municipality: those of messages that the caller sees.',
} as const;

/** How long an offer is open, unless it says otherwise. */
export const USUAL_OFFER_DAYS = 14;

export const HandoverBody = z
  .strictObject({
    caseId: CaseId.optional().describe(
      'Id of the case in the other municipality, which sees it before it decides. Absent: the id that it has here',
    ),
    days: z
      .int()
      .min(1)
      .max(60)
      .default(USUAL_OFFER_DAYS)
      .describe(`Days until the offer expires, ${USUAL_OFFER_DAYS} when absent`),
  })
  .meta({ examples: [{}, { caseId: 'BF-1', days: 7 }] })
  .register(NAMED_REQUESTS, { id: 'NewHandover' });
export type HandoverBody = z.infer<typeof HandoverBody>;

export const HandoverRefusalBody = z
  .strictObject({ reason: keyOf('HandoverRefusal', HANDOVER_REFUSALS) })
  .meta({ examples: [{ reason: 'not-our-case' }] })
  .register(NAMED_REQUESTS, { id: 'NewHandoverRefusal' });
export type HandoverRefusalBody = z.infer<typeof HandoverRefusalBody>;

export const HandoverQuery = z.strictObject({
  direction: keyOf('HandoverDirection', DIRECTIONS).default('in').describe('`in` when absent'),
  status: keyOf('HandoverStatusFilter', HANDOVER_STATUSES)
    .optional()
    .describe('Those with this status; all when absent'),
  limit: wholeNumber(1, 200).default(50).describe('Most items of the page, 50 when absent'),
  cursor: z.uuid().optional().describe('`nextCursor` of the previous page'),
});
export type HandoverQuery = z.infer<typeof HandoverQuery>;

export const HandoverAnswer = z
  .object({
    ...HANDOVER_FACTS,
    messageId: z
      .uuid()
      .nullable()
      .describe('Of the message in this municipality; null: it has none, as it was offered and not taken'),
    kind: Kind,
    letterAt: time.describe('Its own date'),
    replyBy: time.nullable().describe('When the sender wants an answer by'),
    isConcern: z.boolean().describe('Whether it is marked as a possible report of concern, whose clocks run'),
    fileCount: z.int().describe('Files of all documents'),
    attachmentCount: z.int().describe('Documents with the role additional'),
    contentSize: z.int().describe('Bytes of all files'),
  })
  .register(NAMED_ANSWERS, { id: 'Handover' });
export type HandoverAnswer = z.infer<typeof HandoverAnswer>;

export const HANDOVER_EXAMPLE = {
  handoverId: '0197a3b0-0000-7000-8000-000000000009',
  direction: 'in',
  municipality: '33333333',
  status: 'open',
  caseId: 'BF-1',
  offeredAt: '2026-11-20T09:00:00.000Z',
  offeredBy: 'sagsbehandler-7',
  expiresAt: '2026-12-04T09:00:00.000Z',
  endedAt: null,
  endedBy: null,
  refusalReason: null,
  receivedAt: '2026-11-20T08:00:00.000Z',
};

export const HandoverList = z
  .object({
    items: z.array(HandoverAnswer).describe('Newest first'),
    nextCursor: z.uuid().nullable().describe('For the next page; null: there is none'),
  })
  .meta({
    examples: [
      {
        items: [
          {
            ...HANDOVER_EXAMPLE,
            messageId: null,
            kind: 'reply',
            letterAt: '2026-11-20T07:58:00.000Z',
            replyBy: null,
            isConcern: false,
            fileCount: 1,
            attachmentCount: 0,
            contentSize: 48_213,
          },
        ],
        nextCursor: null,
      },
    ],
  })
  .register(NAMED_ANSWERS, { id: 'HandoverList' });
export type HandoverList = z.infer<typeof HandoverList>;
