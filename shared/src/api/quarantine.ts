import { z } from 'zod';
import { ERRORS } from '../errors/index.js';
import { keyOf, NAMED_ANSWERS, oneOf, time } from './values.js';

// The schemas of the quarantine: deliveries that could not be read. Never their content.

export const QUARANTINE_STATUSES = {
  kept: 'The same bytes are refused.',
  'answer-accepted': 'The same bytes get a receipt, as if they were accepted. Nothing of them reaches an inbox.',
} as const;

const Status = keyOf('QuarantineStatus', QUARANTINE_STATUSES);

export const QuarantineQuery = z.strictObject({ status: Status.optional().describe('Only these') });
export type QuarantineQuery = z.infer<typeof QuarantineQuery>;

const Entry = z
  .object({
    id: z.uuid().describe('Of the entry'),
    status: Status,
    reason: oneOf('QuarantineReason', Object.keys(ERRORS) as [keyof typeof ERRORS]).describe('The code of the refusal'),
    path: z.string().nullable().describe('Of the element at fault, if one is'),
    endpoint: oneOf('QuarantineEndpoint', ['rest', 'soap']).describe('Which one it came to'),
    caller: z.string().describe('The address that the last one came from'),
    messageUUID: z.uuid().nullable().describe('As the message has it, if that could be found'),
    size: z.int().describe('Bytes, as it came'),
    hasContent: z.boolean().describe('False when the quota was reached: it is only counted'),
    count: z.int().describe('How often the same bytes came. Of a form, without its boundary'),
    firstAt: time.describe('When they came first'),
    lastAt: time.describe('When they came last'),
    acceptedAt: time.nullable().describe('Since when they get a receipt; null when they do not'),
    acceptedCount: z.int().describe('How often they got a receipt'),
  })
  .register(NAMED_ANSWERS, { id: 'QuarantineEntry' });

export const QuarantineList = z
  .object({ items: z.array(Entry).describe('All there are, the last one that came first') })
  .meta({
    examples: [
      {
        items: [
          {
            id: '0197a3b0-0000-7000-8000-000000000009',
            status: 'kept',
            reason: 'content-not-base64',
            path: 'Message/MessageBody/MainDocument/File/content',
            endpoint: 'rest',
            caller: '10.0.0.5',
            messageUUID: '0b9d6a52-3c3f-4a53-9d0c-6f2b3f0f8a01',
            size: 48_211,
            hasContent: true,
            count: 12,
            firstAt: '2026-11-20T08:05:00.120Z',
            lastAt: '2026-11-20T10:00:02.518Z',
            acceptedAt: null,
            acceptedCount: 0,
          },
        ],
      },
    ],
  })
  .register(NAMED_ANSWERS, { id: 'QuarantineList' });
export type QuarantineList = z.infer<typeof QuarantineList>;
