import { z } from 'zod';
import {
  CHANNELS,
  HELD_CAUSES,
  KINDS,
  REJECTION_REASONS,
  STATUSES,
  SUGGESTION_BASES,
  SUGGESTION_SENDERS,
} from '../lifecycle/index.js';

/** The schemas of the inbox API. Times are ISO 8601 in UTC; sizes are bytes. */

/** The limit of a transaction (shared/src/store), in which receivedAt is taken. */
const APPEARS_WITHIN_SECONDS = 30;

const keysOf = <Key extends string>(table: Record<Key, unknown>) => Object.keys(table) as [Key, ...Key[]];

/** A time from a caller. PostgreSQL has no year 0. */
export const Time = z.iso.datetime().refine((value) => !value.startsWith('0000'), { error: 'Invalid ISO datetime' });
const time = z.iso.datetime();
// PostgreSQL stores any character but NUL; half a surrogate pair is not a character.
const anyText = (max: number) =>
  z
    .string()
    .max(max)
    .refine((value) => !/[\0\p{Surrogate}]/u.test(value), { error: 'must not contain NUL or half a surrogate pair' });
const text = (max: number) => anyText(max).trim().min(1);
export const CaseId = text(256);
/** A UUID of any version and variant, as messages may have it; in lower case. */
export const MessageUUID = z.string().toLowerCase().regex(z.regexes.guid, 'must be a UUID');

// --- requests ------------------------------------------------------------------------------------------------------

/** Strict: a misspelt filter must not return the whole inbox. */
export const DocumentQuery = z.strictObject({
  status: z.enum(keysOf(STATUSES)).exclude(['deleted']).default('pending'),
  kind: z.enum(keysOf(KINDS)).optional(),
  channel: z.enum(keysOf(CHANNELS)).optional(),
  contactPoint: text(256).toLowerCase().optional(),
  case: CaseId.optional().describe('Suggested for, or journalized on, this case'),
  hasSuggestion: z.stringbool({ truthy: ['true'], falsy: ['false'] }).optional(),
  assignee: text(256).optional().describe('Id of a user or team, `me`, or `none`'),
  owner: z.literal('me').optional().describe('Suggested for a case of the caller’s'),
  receivedFrom: Time.optional().describe(
    `Received then or later. A message appears up to ${APPEARS_WITHIN_SECONDS} seconds after its receivedAt: who polls by time asks from ${APPEARS_WITHIN_SECONDS} seconds before the newest seen`,
  ),
  receivedTo: Time.optional(),
  olderThan: Time.optional().describe('The message’s own date is before this; for the time of receipt use receivedTo'),
  sort: z
    .enum(['letterAt', '-letterAt', 'receivedAt', '-receivedAt'])
    .default('letterAt')
    .describe('`-` = newest first'),
  limit: z.coerce.number().int().min(1).max(200).default(50),
  cursor: z.string().max(500).optional().describe('`nextCursor` of the previous page'),
});
export type DocumentQuery = z.infer<typeof DocumentQuery>;

export const AssignmentBody = z.object({
  assignee: z.object({ kind: z.enum(['user', 'team']), id: text(256) }),
});

export const JournalizationBody = z.object({
  caseIds: z.array(CaseId).min(1).max(50).describe('The cases that have the content'),
  reference: text(256).optional().describe('The core’s own reference to the journal entry'),
});

export const TakeBackBody = z.object({
  reason: z.enum(['wrong-case', 'wrong-person', 'other']),
});

export const RejectionBody = z
  .object({
    reason: z.enum(keysOf(REJECTION_REASONS)),
    explanation: text(2_000)
      .optional()
      .describe('Required when the reason is `other`. Removed when the message is deleted'),
    forwardedTo: text(256).optional().describe('To whom the caseworker forwarded it'),
    senderInformed: z.boolean().optional(),
  })
  .refine((body) => body.reason !== 'other' || body.explanation !== undefined, {
    path: ['explanation'],
    error: 'is required when the reason is other',
  });

export const SentMessageBody = z.object({
  caseId: CaseId,
  messageId: text(256).optional().describe('messageID of the sent MeMo'),
  recipientId: z
    .string()
    .regex(/^(\d{8}|\d{10})$/)
    .optional()
    .describe('CPR or CVR number of the recipient; stored as a keyed hash'),
});

export const CaseBody = z.object({
  status: z.enum(['open', 'closed', 'moved']).default('open'),
  caseworker: text(256).nullable().default(null).describe('User id of the current caseworker'),
  parties: z
    .array(z.string().regex(/^(\d{8}|\d{10})$/))
    .max(200)
    .default([])
    .describe('CPR and CVR numbers of the parties; stored as keyed hashes'),
});

// --- answers -------------------------------------------------------------------------------------------------------

const Suggestion = z.object({
  caseId: z.string(),
  basis: z.enum(keysOf(SUGGESTION_BASES)),
  sender: z.enum(keysOf(SUGGESTION_SENDERS)),
  caseStatus: z.enum(['open', 'closed', 'moved']).nullable(),
  caseworker: z.string().nullable().describe('The current caseworker: the owner'),
});

export const DocumentSummary = z.object({
  id: z.uuid(),
  externalId: z.string().describe('messageUUID in lower case; sha256:… if it is not a UUID'),
  version: z.number().int(),
  status: z.enum(keysOf(STATUSES)),
  heldCause: z.enum(keysOf(HELD_CAUSES)).nullable(),
  kind: z.enum(keysOf(KINDS)),
  channel: z.enum(keysOf(CHANNELS)),
  receivedAt: time.describe('When it was wholly received and about to be stored'),
  firstOfferedAt: time.describe('When its upload began'),
  letterAt: time.describe('Its own date; receivedAt if it has none, or one before 2000 or after its receipt'),
  subject: z.string(),
  sender: z.object({ id: z.string(), idType: z.string(), name: z.string() }),
  concerning: z.object({ id: z.string(), name: z.string().nullable() }).nullable(),
  contactPoint: z.object({ id: z.string(), name: z.string().nullable() }).nullable(),
  suggestion: Suggestion.nullable(),
  assignee: z.object({ kind: z.enum(['user', 'team']), id: z.string() }).nullable(),
  documentCount: z.number().int(),
  fileCount: z.number().int(),
  contentSize: z.number().int(),
  remarkCount: z.number().int(),
});
export type DocumentSummary = z.infer<typeof DocumentSummary>;

export const DocumentList = z.object({
  items: z.array(DocumentSummary),
  nextCursor: z.string().nullable(),
});

export const FileAnswer = z.object({
  id: z.uuid(),
  fileName: z.string(),
  encodingFormat: z.string().describe('The MIME type that the sender claims'),
  language: z.string(),
  size: z.number().int(),
  sha256: z.string().nullable(),
  status: z.enum(['expected', 'stored', 'missing']).describe('Only a stored file has content'),
});

export const DocumentAnswer = DocumentSummary.extend({
  documents: z.array(
    z.object({
      role: z.enum(['main', 'additional', 'technical']),
      documentId: z.string().nullable(),
      label: z.string().nullable(),
      files: z.array(FileAnswer),
    }),
  ),
  contactInfo: z.array(z.object({ label: z.string(), value: z.string() })),
  remarks: z.array(z.object({ code: z.string(), path: z.string() })),
  journalizations: z.array(
    z.object({ caseId: z.string(), reference: z.string().nullable(), at: time, by: z.string() }),
  ),
  rejection: z
    .object({
      reason: z.enum(keysOf(REJECTION_REASONS)),
      explanation: z.string().nullable(),
      forwardedTo: z.string().nullable(),
      senderInformed: z.boolean().nullable(),
      at: time,
      by: z.string(),
    })
    .nullable(),
  history: z.array(
    z.object({ at: time, action: z.string(), by: z.string(), details: z.record(z.string(), z.unknown()) }),
  ),
});
export type DocumentAnswer = z.infer<typeof DocumentAnswer>;

export const ChangeAnswer = z.object({
  id: z.uuid(),
  status: z.enum(keysOf(STATUSES)),
  version: z.number().int(),
});
export type ChangeAnswer = z.infer<typeof ChangeAnswer>;
