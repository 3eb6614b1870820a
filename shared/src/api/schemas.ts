import { z } from 'zod';
import { ERRORS } from '../errors/index.js';
import { contactPointIdOf, cprNumberOf, cvrNumberOf, uuidOf } from '../ids/index.js';
import {
  CHANNELS,
  HELD_CAUSES,
  KINDS,
  REJECTION_REASONS,
  STATUSES,
  SUGGESTION_BASES,
  SUGGESTION_SENDERS,
} from '../lifecycle/index.js';
import { MAX_TRANSACTION_SECONDS } from '../store/index.js';

/**
 * The schemas of the inbox API. Times in answers are ISO 8601 in UTC; sizes are bytes. What callers send is strict: a misspelt
 * field must not be taken for an absent one, nor a misspelt filter return the whole inbox.
 */

/** A message appears when the transaction ends in which its receivedAt was taken. */
const APPEARS_WITHIN_SECONDS = MAX_TRANSACTION_SECONDS;

const keysOf = <Key extends string>(table: Record<Key, unknown>) => Object.keys(table) as [Key, ...Key[]];

/** The schemas that OpenAPI has under a name. */
export const NAMED_REQUESTS = z.registry<{ id: string }>();
export const NAMED_ANSWERS = z.registry<{ id: string }>();

const time = z.iso.datetime();
const TIME_FAULT = 'must be an RFC 3339 date-time, such as 2026-11-20T08:00:00Z or 2026-11-20T09:00:00%2B01:00';
/** A time from a caller, in UTC. PostgreSQL has no year 0, and an offset can lead out of the four-digit years. */
export const Time = z
  .preprocess(
    // RFC 3339, 5.6: T and Z may be lower case
    (value: string) => (typeof value === 'string' ? value.toUpperCase() : value),
    z.iso.datetime({ offset: true, error: TIME_FAULT }),
  )
  .transform((value) => new Date(value).toISOString())
  .refine((value) => /^\d{4}-/.test(value) && !value.startsWith('0000'), { error: 'must be in the years 1 to 9999' });
// PostgreSQL stores any character but NUL; half a surrogate pair is not a character.
const anyText = (max: number) =>
  z
    .string()
    .max(max)
    .refine((value) => !/[\0\p{Surrogate}]/u.test(value), { error: 'must not contain NUL or half a surrogate pair' });
const text = (max: number) => anyText(max).trim().min(1);
export const CaseId = text(256);
const refuse = (context: z.RefinementCtx, message: string) => {
  context.addIssue({ code: 'custom', message });
  return z.NEVER;
};
const UUID_FORMS = 'any case; in braces, after `urn:uuid:` or without hyphens too';
/** A UUID of any version and variant, as messages may have it; in its normal form. */
export const Uuid = z
  .string()
  .meta({ format: 'uuid', description: UUID_FORMS })
  .transform((value, context) => uuidOf(value) ?? refuse(context, 'must be a UUID'));
const NUMBER_FORMS = '10 or 8 digits, with spaces, hyphens or the prefix DK too';
const Party = z
  .string()
  .refine((value) => (cprNumberOf(value) ?? cvrNumberOf(value)) !== undefined, {
    error: 'must be a CPR number of 10 digits or a CVR number of 8',
  })
  .describe(NUMBER_FORMS);

/** A whole number in a query, in one spelling: not 050, +5, 1e2 or 0x10. */
const wholeNumber = (min: number, max: number) =>
  z.preprocess(
    (value: number | string) => (/^(0|[1-9]\d{0,8})$/.test(String(value)) ? Number(value) : value),
    z
      .int({ error: `must be a whole number from ${min} to ${max}, in digits` })
      .min(min)
      .max(max),
  );
/** `true` or `false` in a query, and no other spelling. */
const trueOrFalse = z.preprocess(
  (value: boolean | 'true' | 'false') => (value === 'true' ? true : value === 'false' ? false : value),
  z.boolean({ error: 'must be true or false' }),
);

// --- requests ------------------------------------------------------------------------------------------------------

export const DocumentQuery = z.strictObject({
  status: z.enum(keysOf(STATUSES)).exclude(['deleted']).default('pending'),
  kind: z.enum(keysOf(KINDS)).optional(),
  channel: z.enum(keysOf(CHANNELS)).optional(),
  contactPoint: text(256).transform(contactPointIdOf).optional().describe(`Of a UUID: ${UUID_FORMS}`),
  case: CaseId.optional().describe('Suggested for, or journalized on, this case'),
  hasSuggestion: trueOrFalse.optional(),
  assignee: text(256).optional().describe('Id of a user or team, `me`, or `none`'),
  owner: z.literal('me').optional().describe('Suggested for a case of the caller’s'),
  receivedFrom: Time.optional().describe(
    `Received then or later, with any offset (encode + as %2B). A message appears up to ${APPEARS_WITHIN_SECONDS} seconds after its receivedAt: who polls by time asks from ${APPEARS_WITHIN_SECONDS} seconds before the newest seen`,
  ),
  receivedTo: Time.optional(),
  olderThan: Time.optional().describe('The message’s own date is before this; for the time of receipt use receivedTo'),
  sort: z
    .enum(['letterAt', '-letterAt', 'receivedAt', '-receivedAt'])
    .default('letterAt')
    .describe('`-` = newest first'),
  limit: wholeNumber(1, 200).default(50).describe('50 when absent'),
  cursor: z.string().min(1).max(500).optional().describe('`nextCursor` of the previous page'),
});
export type DocumentQuery = z.infer<typeof DocumentQuery>;

export const AssignmentBody = z
  .strictObject({
    assignee: z.strictObject({ kind: z.enum(['user', 'team']), id: text(256) }),
  })
  .meta({ examples: [{ assignee: { kind: 'user', id: 'sagsbehandler-1' } }] })
  .register(NAMED_REQUESTS, { id: 'Assignment' });

export const JournalizationBody = z
  .strictObject({
    caseIds: z
      .array(CaseId)
      .min(1)
      .max(50)
      .describe('The cases that have the content; registered with PUT /api/v1/cases/{caseId}'),
    reference: text(256).optional().describe('The core’s own reference to the journal entry'),
  })
  .meta({ examples: [{ caseIds: ['BF-1'], reference: 'JP-2026-55' }] })
  .register(NAMED_REQUESTS, { id: 'Journalization' });

export const TakeBackBody = z
  .strictObject({
    reason: z.enum(['wrong-case', 'wrong-person', 'other']),
  })
  .meta({ examples: [{ reason: 'wrong-case' }] })
  .register(NAMED_REQUESTS, { id: 'TakingBack' });

export const RejectionBody = z
  .strictObject({
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
  })
  .meta({ examples: [{ reason: 'wrong-department', forwardedTo: 'Teknik og Miljø', senderInformed: false }] })
  .register(NAMED_REQUESTS, { id: 'Rejection' });

/** An absent field leaves what is registered; null clears it. */
export const SentMessageBody = z
  .strictObject({
    caseId: CaseId.optional().describe('The case it was sent from; required the first time. Absent: unchanged'),
    messageId: text(256).nullable().optional().describe('messageID of the sent MeMo. Absent: unchanged; null: none'),
    recipientId: Party.nullable()
      .optional()
      .describe(
        `CPR or CVR number of the recipient: ${NUMBER_FORMS}; stored as a keyed hash. Absent: unchanged; null: none`,
      ),
  })
  .meta({ examples: [{ caseId: 'BF-1', recipientId: '4101019999' }] })
  .register(NAMED_REQUESTS, { id: 'SentMessage' });

/** An absent field leaves what is registered; null, or an empty list, clears it. */
export const CaseBody = z
  .strictObject({
    status: z.enum(['open', 'closed', 'moved']).optional().describe('Absent: unchanged; of a new case `open`'),
    caseworker: text(256)
      .nullable()
      .optional()
      .describe('User id of the current caseworker. Absent: unchanged; null: none'),
    parties: z
      .array(Party)
      .max(200)
      .nullable()
      .optional()
      .describe(
        `CPR and CVR numbers of all parties: ${NUMBER_FORMS}; stored as keyed hashes. Absent: unchanged; a list replaces all; null or []: none`,
      ),
  })
  .meta({ examples: [{ status: 'open', caseworker: 'sagsbehandler-1', parties: ['4101019999'] }] })
  .register(NAMED_REQUESTS, { id: 'Case' });

// --- answers -------------------------------------------------------------------------------------------------------

const Suggestion = z
  .object({
    caseId: z.string(),
    basis: z.enum(keysOf(SUGGESTION_BASES)),
    sender: z.enum(keysOf(SUGGESTION_SENDERS)),
    caseStatus: z.enum(['open', 'closed', 'moved']).nullable(),
    caseworker: z.string().nullable().describe('The current caseworker: the owner'),
  })
  .register(NAMED_ANSWERS, { id: 'Suggestion' });

export const DocumentSummary = z
  .object({
    id: z.uuid(),
    externalId: z.string().describe('messageUUID in lower case with hyphens; sha256:… if it is not a UUID'),
    version: z.int().describe('Send it in If-Match to change the message'),
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
    documentCount: z.int(),
    fileCount: z.int(),
    contentSize: z.int(),
    remarkCount: z.int(),
  })
  .register(NAMED_ANSWERS, { id: 'IncomingDocumentSummary' });
export type DocumentSummary = z.infer<typeof DocumentSummary>;

export const DocumentList = z
  .object({
    items: z.array(DocumentSummary),
    nextCursor: z.string().nullable().describe('null on the last page'),
  })
  .register(NAMED_ANSWERS, { id: 'IncomingDocumentList' });

const FileAnswer = z
  .object({
    id: z.uuid(),
    fileName: z.string(),
    encodingFormat: z.string().describe('The MIME type that the sender claims'),
    language: z.string(),
    size: z.int(),
    sha256: z.string().nullable(),
    status: z.enum(['expected', 'stored', 'missing']).describe('Only a stored file has content'),
  })
  .register(NAMED_ANSWERS, { id: 'File' });

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
}).register(NAMED_ANSWERS, { id: 'IncomingDocument' });
export type DocumentAnswer = z.infer<typeof DocumentAnswer>;

export const ChangeAnswer = z
  .object({
    id: z.uuid(),
    status: z.enum(keysOf(STATUSES)),
    version: z.int().describe('The version after the change; also in ETag'),
  })
  .register(NAMED_ANSWERS, { id: 'Change' });
export type ChangeAnswer = z.infer<typeof ChangeAnswer>;

/** RFC 9457. */
export const ProblemAnswer = z
  .object({
    type: z.string().describe('urn:indbakke:error: and the code'),
    title: z.string(),
    status: z.int(),
    detail: z.string(),
    code: z.enum(keysOf(ERRORS)),
    path: z.string().optional().describe('The field or element at fault'),
    correlationId: z.string().describe('Has the log’s lines of this call; quote it when you report a fault'),
  })
  .register(NAMED_ANSWERS, { id: 'Problem' });
