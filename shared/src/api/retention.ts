import { z } from 'zod';
import { MESSAGE_ID } from './examples.js';
import { NAMED_ANSWERS, time, wholeNumber } from './values.js';

// The schemas of the dry run of retention.

const thoughtOf = (what: string) =>
  wholeNumber(1, 36_500)
    .optional()
    .describe(`${what}, in place of what the municipality has set, to see what it would do`);

export const RetentionQuery = z.strictObject({
  removeContentAfterDays: thoughtOf('Days after the journalization'),
  flagRejectedAfterDays: thoughtOf('Days after the rejection'),
  limit: wholeNumber(0, 10_000).default(100).describe('Most items of each list, 100 when absent; `count` is of all'),
});
export type RetentionQuery = z.infer<typeof RetentionQuery>;

const days = z.int().nullable();

const ContentRemovalItem = z
  .object({
    id: z.uuid().describe('Of the message'),
    journalizedAt: time.describe('When it was journalized'),
    dueAt: time.describe('Since when its content may be removed'),
    contentSize: z.int().describe('Bytes of all its files'),
  })
  .register(NAMED_ANSWERS, { id: 'ContentRemovalItem' });

const FlaggedItem = z
  .object({
    id: z.uuid().describe('Of the message'),
    rejectedAt: time.describe('When it was rejected'),
    dueAt: time.describe('Since when it is flagged'),
  })
  .register(NAMED_ANSWERS, { id: 'FlaggedItem' });

const count = z.int();

export const RetentionAnswer = z
  .object({
    at: time.describe('When it was looked at'),
    contentRemovals: z
      .object({
        afterDays: days.describe('Days after the journalization; null: nothing is removed, ever'),
        count: count.describe('Messages whose content would be removed'),
        contentSize: z.int().describe('Bytes of all their files'),
        underLegalHold: count.describe('Messages that are old enough, and stay because of a legal hold'),
        items: z.array(ContentRemovalItem).describe('Oldest first'),
      })
      .register(NAMED_ANSWERS, { id: 'ContentRemovals' })
      .describe('Journalized messages whose content would be removed'),
    flagged: z
      .object({
        afterDays: days.describe('Days after the rejection; null: nothing is flagged, ever'),
        count: count.describe('Messages that would be flagged, for a person to delete'),
        underLegalHold: count.describe('Messages that are old enough, and are not flagged because of a legal hold'),
        items: z.array(FlaggedItem).describe('Oldest first'),
      })
      .register(NAMED_ANSWERS, { id: 'FlaggedMessages' })
      .describe('Rejected messages that would be flagged'),
  })
  .meta({
    examples: [
      {
        at: '2026-11-20T10:00:00.000Z',
        contentRemovals: {
          afterDays: 365,
          count: 1,
          contentSize: 48_213,
          underLegalHold: 0,
          items: [
            {
              id: MESSAGE_ID,
              journalizedAt: '2025-11-18T09:00:00.000Z',
              dueAt: '2026-11-18T09:00:00.000Z',
              contentSize: 48_213,
            },
          ],
        },
        flagged: { afterDays: null, count: 0, underLegalHold: 0, items: [] },
      },
    ],
  })
  .register(NAMED_ANSWERS, { id: 'Retention' });
export type RetentionAnswer = z.infer<typeof RetentionAnswer>;
