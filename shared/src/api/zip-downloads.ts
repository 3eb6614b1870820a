import { z } from 'zod';
import { MESSAGE_ID } from './examples.js';
import { idOf, keyOf, NAMED_ANSWERS, NAMED_REQUESTS, time } from './values.js';

const ZIP_PARTS = {
  cover:
    'A cover sheet (følgeseddel) as PDF, in Danish. A zip that lacks a file, since that has not come or is unsafe, has it in any case.',
  technical: 'Its technical documents.',
  original: 'The XML as it arrived, without the contents of its files.',
} as const;

export const ZipPart = keyOf('ZipPart', ZIP_PARTS);

const COVERS = {
  masked: 'With the date of birth in place of each CPR number.',
  full: 'With whole CPR numbers.',
} as const;

export const CoverSheet = keyOf('CoverSheet', COVERS);

/** Each once, in one order. */
export const zipPartsOf = <List extends z.ZodType<z.infer<typeof ZipPart>[]>>(list: List) =>
  list.transform((parts) => [...new Set(parts)].sort()).default([]);

/** A cover sheet that is not in the zip cannot be asked for in any way. */
export const withCoverIncluded = <Schema extends z.ZodType<{ include: readonly string[]; cover?: string | undefined }>>(
  schema: Schema,
) =>
  schema.refine(({ include, cover }) => cover === undefined || include.includes('cover'), {
    path: ['cover'],
    error: 'is for a cover sheet: include=cover',
  });

/** What a zip has beside the main document and its attachments. */
export const ZipQuery = withCoverIncluded(
  z.strictObject({
    include: zipPartsOf(
      z.preprocess(
        (value: string | string[]) => (typeof value === 'string' ? value.split(',') : value),
        z.array(ZipPart).max(ZipPart.options.length),
      ),
    ).describe('What it has beside the main document and its attachments, with commas between; nothing when absent'),
    cover: CoverSheet.optional().describe('How the cover sheet is; `masked` when absent'),
  }),
);

// The schemas of zip downloads: many messages in one zip.

export const ZIP_STATUSES = {
  waiting: 'Nothing has begun yet.',
  running: 'It is being made.',
  ready: 'It can be downloaded.',
  failed: 'None of the messages could be put into it: `leftOut` tells why.',
  cancelled: 'It was cancelled before it was ready.',
} as const;

/** Why a message is not in the zip. */
export const LEFT_OUT = {
  'not-found': 'It does not exist, the caller may not see it, or it has been deleted.',
  'content-gone': 'Its content has been removed.',
  'content-damaged': 'Its content fails verification.',
  'file-held': 'A file of it is not scanned for malware yet.',
} as const;
export type LeftOut = keyof typeof LEFT_OUT;

const MAX_ITEMS = 1_000;

export const ZipDownloadBody = withCoverIncluded(
  z.strictObject({
    items: z
      .array(idOf('message'))
      .min(1)
      .max(MAX_ITEMS)
      .refine((ids) => new Set(ids).size === ids.length, { error: 'must have each id once' })
      .describe('The messages, each once, in the order that they have in the zip'),
    include: zipPartsOf(z.array(ZipPart).max(ZipPart.options.length)).describe(
      'What it has of each message beside the main document and its attachments; nothing when absent',
    ),
    cover: CoverSheet.optional().describe('How the cover sheets are; `masked` when absent'),
  }),
)
  .meta({ examples: [{ items: [MESSAGE_ID] }, { items: [MESSAGE_ID], include: ['cover'], cover: 'full' }] })
  .register(NAMED_REQUESTS, { id: 'NewZipDownload' });
export type ZipDownloadBody = z.infer<typeof ZipDownloadBody>;

const LeftOutMessage = z
  .object({ id: z.uuid().describe('Id of the message'), reason: keyOf('LeftOut', LEFT_OUT) })
  .register(NAMED_ANSWERS, { id: 'LeftOutMessage' });
const leftOut = z.array(LeftOutMessage).describe('The messages that are not in it, and why');
const messageCount = z.int().describe('Messages that are in it, or will be');
const size = z.int().describe('Bytes of the files that go into it');

const EXAMPLE = {
  id: '0197a3b0-0000-7000-8000-000000000008',
  include: [],
  cover: null,
  status: 'running',
  requestedAt: '2026-11-20T08:00:00.000Z',
  readyAt: null,
  expiresAt: '2026-11-21T08:00:00.000Z',
  percent: 41,
  bytesDone: 197_246_976,
  size: 481_182_040,
  messagesDone: 87,
  messagesLeft: 125,
  messageCount: 212,
  leftOut: [{ id: '0197a3b0-0000-7000-8000-000000000009', reason: 'not-found' }],
  zipSize: null,
};

export const ZipDownloadCreated = z
  .object({ id: z.uuid().describe('Names the zip in its calls'), messageCount, size, leftOut })
  .meta({ examples: [{ id: EXAMPLE.id, messageCount: 212, size: EXAMPLE.size, leftOut: EXAMPLE.leftOut }] })
  .register(NAMED_ANSWERS, { id: 'ZipDownloadCreated' });
export type ZipDownloadCreated = z.infer<typeof ZipDownloadCreated>;

export const ZipDownloadAnswer = z
  .object({
    id: z.uuid().describe('Names the zip in its calls'),
    include: z.array(ZipPart).describe('As it was asked for'),
    cover: CoverSheet.nullable().describe('As it was asked for; null: only a message that lacks a file has one'),
    status: keyOf('ZipDownloadStatus', ZIP_STATUSES),
    requestedAt: time.describe('When it was asked for'),
    readyAt: time.nullable().describe('Null until it is ready'),
    expiresAt: time.describe('When it is removed'),
    percent: z.int().describe('How much of it is made, by bytes: 0 to 100, and 100 only when it is ready'),
    bytesDone: z.int().describe('Bytes that are in it so far'),
    size,
    messagesDone: z.int().describe('Messages that are in it so far'),
    messagesLeft: z.int().describe('Messages that have still to be put into it'),
    messageCount,
    leftOut,
    zipSize: z.int().nullable().describe('Bytes of the zip; null until it is ready'),
  })
  .meta({ examples: [EXAMPLE] })
  .register(NAMED_ANSWERS, { id: 'ZipDownload' });
export type ZipDownloadAnswer = z.infer<typeof ZipDownloadAnswer>;

export const ZipDownloadList = z
  .object({ items: z.array(ZipDownloadAnswer).describe('Oldest first') })
  .meta({ examples: [{ items: [EXAMPLE] }] })
  .register(NAMED_ANSWERS, { id: 'ZipDownloadList' });
export type ZipDownloadList = z.infer<typeof ZipDownloadList>;
