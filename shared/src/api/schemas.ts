import { z } from 'zod';
import { DAY } from '../config/index.js';
import { ERRORS } from '../errors/index.js';
import { contactPointIdOf, cprNumberOf, cvrNumberOf, uuidOf } from '../ids/index.js';
import {
  CALLERS_CHANGES,
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

/** Named filters, each with what it means. */
export const VIEWS = {
  mine: 'Suggested for a case of the caller’s.',
  assigned: 'Assigned to the caller or to one of the caller’s teams.',
  nobodys: 'Neither suggested for a case nor assigned.',
  absent: 'Assigned to one of `colleagues`, or suggested for a case of theirs. Only in a body.',
  unhandled: 'Received longer ago than `olderThan`.',
  late: 'Much older than its receipt: moved from Virk, or fetched anew.',
} as const;
export type View = keyof typeof VIEWS;

const WAITING: ReadonlySet<string> = new Set(['pending', 'held']);
/** One or several, separated by commas; deleted messages are in no list. */
const Statuses = z
  .preprocess(
    (value: string | string[]) => (typeof value === 'string' ? value.split(',') : value),
    z
      .array(z.enum(keysOf(STATUSES)).exclude(['deleted']))
      .min(1)
      .transform((statuses) => [...new Set(statuses)].sort()),
  )
  .default(['pending'])
  .meta({ description: 'One or several, with commas between. Rejected messages are in no list but their own' });

/** ISO 8601: days and hours. */
const Duration = z
  .string()
  .regex(/^P(?=\d|T\d)(\d{1,4}D)?(T\d{1,5}H)?$/, { error: 'must be days and hours, such as P3D, PT36H or P1DT12H' });

/**
 * What a list, a search, an export, a summary and all ids can be limited to. Filters are combined with AND. Nothing personal,
 * so that they can be in a URL.
 */
const FILTERS = {
  status: Statuses,
  view: z.enum(keysOf(VIEWS)).optional(),
  kind: z.enum(keysOf(KINDS)).optional(),
  channel: z.enum(keysOf(CHANNELS)).optional(),
  contactPoint: text(256).transform(contactPointIdOf).optional().describe(`Of a UUID: ${UUID_FORMS}`),
  case: CaseId.optional().describe('Suggested for, or journalized on, this case'),
  hasSuggestion: trueOrFalse.optional(),
  assignee: text(256).optional().describe('Id of a user or team, `me` (or one of my teams), or `none`'),
  owner: z.literal('me').optional().describe('Suggested for a case of the caller’s'),
  receivedFrom: Time.optional().describe(
    `Received then or later, with any offset (encode + as %2B). A message appears up to ${APPEARS_WITHIN_SECONDS} seconds after its receivedAt: who polls by time asks from ${APPEARS_WITHIN_SECONDS} seconds before the newest seen`,
  ),
  receivedTo: Time.optional().describe('Received before this'),
  olderThan: Duration.optional().describe('Received longer ago: days and hours, such as P3D or PT36H'),
  late: trueOrFalse.optional().describe('Whether its own date is much older than its receipt'),
  hasMedia: trueOrFalse.optional().describe('Whether there is sound or video among its files'),
  concern: z
    .enum(['any', 'open', 'overdue'])
    .optional()
    .describe(
      'Marked as a possible report of concern: any; with a clock that is not met; with one that is not met in time',
    ),
};

/** Personal filters, which only a body may have. */
const PERSONAL_FILTERS = {
  q: text(200)
    .optional()
    .describe('Words, beginnings of words, or a CPR or CVR number: in subject, sender and concerning'),
  sender: Party.optional(),
  concerning: Party.optional(),
  colleagues: z.array(text(256)).min(1).max(200).optional().describe('User ids, for the view `absent`'),
};

/** Sort orders. Those by a due time are for messages that wait: no clock runs for the others. */
const SORTS = [
  'receivedAt',
  '-receivedAt',
  'letterAt',
  '-letterAt',
  'replyBy',
  '-replyBy',
  'concernDue',
  '-concernDue',
] as const;
const PAGE = {
  sort: z
    .enum(SORTS)
    .default('receivedAt')
    .describe(
      '`-` = newest first. Without a time of that name: last. replyBy and concernDue: pending and held messages only',
    ),
  cursor: z.string().min(1).max(500).optional().describe('`nextCursor` of the previous page'),
};
const pageOf = (most: number, usual: number) => ({
  ...PAGE,
  limit: wholeNumber(1, most).default(usual).describe(`${usual} when absent`),
});

interface Needs {
  readonly status: readonly string[];
  readonly view?: View | undefined;
  readonly olderThan?: string | undefined;
  readonly colleagues?: readonly string[] | undefined;
  readonly sort?: string | undefined;
}

/** What some filters need beside them. */
function checkNeeds(query: Needs, context: z.RefinementCtx): void {
  const fault = (field: string, message: string) => context.addIssue({ code: 'custom', path: [field], message });
  if (query.view === 'unhandled' && query.olderThan === undefined)
    fault('olderThan', 'is required by the view unhandled');
  if (query.view === 'absent' && query.colleagues === undefined) {
    fault('view', 'absent requires colleagues, which only a body can have');
  }
  if (query.view !== 'absent' && query.colleagues !== undefined) fault('colleagues', 'is for the view absent only');
  const isByDueTime = /^-?(replyBy|concernDue)$/.test(query.sort ?? '');
  if (isByDueTime && !query.status.every((status) => WAITING.has(status))) {
    fault('sort', 'by a due time is for pending and held messages only');
  }
}

export const DocumentQuery = z.strictObject({ ...FILTERS, ...pageOf(200, 50) }).superRefine(checkNeeds);
export type DocumentQuery = z.infer<typeof DocumentQuery>;
/** The filters of a summary. */
export const SummaryQuery = z.strictObject(FILTERS).superRefine(checkNeeds);

const ALL_FILTERS = { ...FILTERS, ...PERSONAL_FILTERS };
export const DocumentFilter = z
  .strictObject(ALL_FILTERS)
  .superRefine(checkNeeds)
  .register(NAMED_REQUESTS, { id: 'Filter' });
/** What a list can be limited to. */
export type DocumentFilter = z.infer<typeof DocumentFilter>;

export const SearchBody = z
  .strictObject({ ...ALL_FILTERS, ...pageOf(200, 50) })
  .superRefine(checkNeeds)
  .meta({ examples: [{ q: 'børnehave', status: ['pending', 'journalized'], sort: '-receivedAt' }] })
  .register(NAMED_REQUESTS, { id: 'Search' });
export type SearchBody = z.infer<typeof SearchBody>;

export const IdsBody = z
  .strictObject({ ...ALL_FILTERS, ...pageOf(10_000, 10_000) })
  .superRefine(checkNeeds)
  .meta({ examples: [{ view: 'nobodys' }] })
  .register(NAMED_REQUESTS, { id: 'IdsOfFilter' });

export const ExportBody = z
  .strictObject({ ...ALL_FILTERS, sort: PAGE.sort })
  .superRefine(checkNeeds)
  .meta({ examples: [{ status: ['rejected'], sort: '-receivedAt' }] })
  .register(NAMED_REQUESTS, { id: 'Export' });
export type ExportBody = z.infer<typeof ExportBody>;

export const WEEKDAYS = ['monday', 'tuesday', 'wednesday', 'thursday', 'friday', 'saturday', 'sunday'] as const;

const Schedule = z
  .strictObject({
    every: z
      .enum(['day', 'working-day', 'week'])
      .describe('A working day is Monday to Friday, but no Danish public holiday'),
    weekday: z.enum(WEEKDAYS).optional().describe('For every week: on which day'),
    at: z
      .string()
      .regex(/^([01]\d|2[0-3]):[0-5]\d$/, { error: 'must be a time of day, such as 07:30' })
      .describe('In Danish time. A time that clocks skip or show twice is once'),
  })
  .refine(({ every, weekday }) => (every === 'week') === (weekday !== undefined), {
    path: ['weekday'],
    error: 'is required for every week, and for nothing else',
  });
export type Schedule = z.infer<typeof Schedule>;

/** What is searched for, under a name. */
export const NamedSearch = z.strictObject({ name: text(100), filter: DocumentFilter, sort: PAGE.sort });
export type NamedSearch = z.infer<typeof NamedSearch>;

/** A search that is made into an Excel file at set times. */
export const ExtractBody = z
  .strictObject({
    ...NamedSearch.shape,
    schedule: Schedule,
    keepDays: z.int().min(1).max(90).default(14).describe('How long each file is kept; 14 days when absent'),
  })
  .superRefine(({ filter, sort }, context) => checkNeeds({ ...filter, sort }, context))
  .meta({
    examples: [
      {
        name: 'Ikke fordelt',
        filter: { view: 'nobodys' },
        sort: 'receivedAt',
        schedule: { every: 'working-day', at: '07:30' },
        keepDays: 7,
      },
    ],
  })
  .register(NAMED_REQUESTS, { id: 'NewExtract' });
export type ExtractBody = z.infer<typeof ExtractBody>;

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
    casesAreOpen: z
      .boolean()
      .optional()
      .describe(
        'true: the core has opened the cases that are registered as closed or moved; they are registered as open',
      ),
    fileIds: z
      .array(Uuid)
      .max(200)
      .optional()
      .describe('Of documents with several files: the variant that was journalized, one a document. All are kept'),
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

export const MAX_FIGURES_DAYS = 400;
const Day = z.iso
  .date({ error: 'must be a day, such as 2026-11-20' })
  .refine((day) => day >= '2000-01-01' && day < '9000', { error: 'must be in the years 2000 to 8999' });
/** A day or some, both included. */
export const FiguresQuery = z
  .strictObject({
    from: Day.describe('The first day, in Danish time'),
    to: Day.describe(`The last day, in Danish time; at most ${MAX_FIGURES_DAYS} days`),
  })
  .superRefine(({ from, to }, context) => {
    const fault = (message: string) => context.addIssue({ code: 'custom', path: ['to'], message });
    if (to < from) fault('must not be before from');
    if (Date.parse(to) - Date.parse(from) >= MAX_FIGURES_DAYS * DAY) {
      fault(`must be less than ${MAX_FIGURES_DAYS} days after from`);
    }
  });
export type FiguresQuery = z.infer<typeof FiguresQuery>;

/** The marks of a possible report of concern. */
export const ConcernBody = z.strictObject({}).register(NAMED_REQUESTS, { id: 'Concern' });

const ITEM = { id: Uuid, version: z.int().min(1).describe('The version that was read') };
const bulkOf = <const Action extends string, Item extends z.ZodType<{ id: string }>>(action: Action, item: Item) =>
  z.strictObject({
    action: z.literal(action),
    items: z
      .array(item)
      .min(1)
      .max(500)
      .refine((items) => new Set(items.map(({ id }) => id)).size === items.length, {
        error: 'must have each id once',
      }),
  });
/** The same change of many messages, each with its version and the fields that the change of one takes in its body. */
export const BulkBody = z
  .discriminatedUnion('action', [
    bulkOf('assign', AssignmentBody.safeExtend(ITEM)),
    bulkOf('unassign', z.strictObject(ITEM)),
    bulkOf('journalize', JournalizationBody.safeExtend(ITEM)),
    bulkOf('take-back', TakeBackBody.safeExtend(ITEM)),
    bulkOf('reject', RejectionBody.safeExtend(ITEM)), // which keeps the rule that `other` needs an explanation
    bulkOf('reopen', z.strictObject(ITEM)),
  ])
  .meta({
    examples: [
      {
        action: 'assign',
        items: [{ id: '0197a3b0-0000-7000-8000-000000000001', version: 1, assignee: { kind: 'team', id: 'team-1' } }],
      },
    ],
  })
  .register(NAMED_REQUESTS, { id: 'Bulk' });
export type BulkBody = z.infer<typeof BulkBody>;

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

const Concern = z
  .object({
    markedAt: time,
    markedBy: z.string(),
    assessBy: time.describe('24 hours after its receipt'),
    assessedAt: time.nullable(),
    confirmBy: time.describe('When 6 working days after its receipt are over: the notifier has a confirmation by then'),
    confirmedAt: time.nullable(),
  })
  .register(NAMED_ANSWERS, { id: 'ConcernClocks' });

const Rejection = z
  .object({
    reason: z.enum(keysOf(REJECTION_REASONS)),
    explanation: z.string().nullable(),
    forwardedTo: z.string().nullable(),
    senderInformed: z.boolean().nullable(),
    at: time,
    by: z.string(),
  })
  .register(NAMED_ANSWERS, { id: 'RejectionOfMessage' });

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
    ageHours: z.int().describe('Whole hours since receivedAt'),
    late: z.boolean().describe('Its own date is much older than its receipt: moved from Virk, or fetched anew'),
    replyBy: time.nullable().describe('When the sender wants an answer by'),
    replyOverdue: z.boolean().describe('replyBy is over and the message still waits; never of a late one'),
    subject: z.string(),
    sender: z.object({
      id: z.string(),
      idType: z.string(),
      name: z.string(),
      representative: z
        .object({ id: z.string().nullable(), idType: z.string().nullable(), name: z.string().nullable() })
        .nullable()
        .describe('Who acts on behalf of the sender'),
    }),
    concerning: z
      .object({ id: z.string().nullable().describe('null: only a name is known'), name: z.string().nullable() })
      .nullable()
      .describe('Whom it concerns: by ContentData/CPRdata, else by the labels of contactInfo'),
    contactPoint: z.object({ id: z.string(), name: z.string().nullable() }).nullable(),
    suggestion: Suggestion.nullable(),
    assignee: z.object({ kind: z.enum(['user', 'team']), id: z.string() }).nullable(),
    concern: Concern.nullable().describe('Not null: it may be a report of concern'),
    documentCount: z.int(),
    attachmentCount: z.int().describe('Documents with the role additional'),
    fileCount: z.int(),
    contentSize: z.int(),
    hasMedia: z.boolean().describe('Whether there is sound or video among the files'),
    rejection: Rejection.nullable(),
    remarks: z.array(z.object({ code: z.string(), path: z.string() })),
    allowed: z.array(z.enum(keysOf(CALLERS_CHANGES))).describe('The changes that this caller may make now'),
  })
  .register(NAMED_ANSWERS, { id: 'IncomingDocumentSummary' });
export type DocumentSummary = z.infer<typeof DocumentSummary>;

/** A page of the history ends after so many messages as it may read, however few of them meet the filters. */
const nextCursor = z
  .string()
  .nullable()
  .describe('null on the last page. A page before it may have fewer items than its limit, even none');

export const DocumentList = z
  .object({
    items: z.array(DocumentSummary),
    nextCursor,
  })
  .register(NAMED_ANSWERS, { id: 'IncomingDocumentList' });

const FileAnswer = z
  .object({
    id: z.uuid(),
    fileName: z.string(),
    encodingFormat: z.string().describe('The MIME type that the sender claims'),
    detectedFormat: z.string().nullable().describe('The MIME type that the first bytes show; null when they show none'),
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
  journalizations: z.array(
    z.object({
      caseId: z.string(),
      reference: z.string().nullable(),
      fileIds: z.array(z.uuid()).describe('The files that were named as the journalized variants'),
      at: time,
      by: z.string(),
    }),
  ),
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

export const DocumentIds = z
  .object({
    items: z.array(z.object({ id: z.uuid(), version: z.int() })),
    nextCursor,
  })
  .register(NAMED_ANSWERS, { id: 'IncomingDocumentIds' });

const count = z.int();
/** A message that matches is counted once in each group. */
export const DocumentCounts = z
  .object({
    at: time,
    total: count,
    isMore: z
      .boolean()
      .describe(
        'Whether there are more than were counted: of pending and held messages the 10000 oldest are, of journalized and rejected ones the 1000 newest',
      ),
    status: z.array(z.object({ status: z.enum(keysOf(STATUSES)), count })),
    kind: z.array(z.object({ kind: z.enum(keysOf(KINDS)), count })),
    contactPoint: z.array(z.object({ id: z.string().nullable(), name: z.string().nullable(), count })),
    assignee: z.array(z.object({ id: z.string().nullable().describe('null: nobody’s'), count })),
    team: z.array(z.object({ id: z.string(), count })),
    age: z
      .array(z.object({ olderThan: z.string(), count }))
      .describe('Received longer ago than this, and not than the next'),
    late: count,
    replyOverdue: count,
    concern: z.object({
      open: count.describe('With a clock that is not met'),
      assessOverdue: count,
      confirmOverdue: count,
      nextDue: time.nullable(),
    }),
  })
  .register(NAMED_ANSWERS, { id: 'Summary' });
export type DocumentCounts = z.infer<typeof DocumentCounts>;

/** The main document as text, if it is text or HTML. */
export const TextAnswer = z
  .object({
    fileId: z.uuid().nullable().describe('null: the main document has no file that is text or HTML'),
    text: z.string().nullable().describe('Without markup; links are not followed'),
    isTruncated: z.boolean(),
  })
  .register(NAMED_ANSWERS, { id: 'TextOfMainDocument' });
export type TextAnswer = z.infer<typeof TextAnswer>;

const hours = z
  .object({ p50: z.number().nullable(), p90: z.number().nullable() })
  .describe(
    'Within so many hours of its receipt half, or nine tenths, of what was received then were done. null: it was fewer than 5 messages, or so many are not done yet',
  );
const Figures = z
  .object({
    received: z.int(),
    handled: z
      .int()
      .describe('Journalized or rejected then; what was taken back or reopened counts when it is done again'),
    waiting: z.int().describe('At the end'),
    hoursToFirstLook: hours,
    hoursToHandling: hours,
  })
  .register(NAMED_ANSWERS, { id: 'Figures' });
const ofContactPoints = z.array(
  Figures.extend({
    contactPoint: z.object({ id: z.string(), name: z.string().nullable() }).nullable(),
  }),
);
/** Counts and times without anything of a person, a message or a case. Without held messages. */
export const FiguresAnswer = z
  .object({
    at: time,
    total: Figures,
    contactPoints: ofContactPoints,
    days: z
      .array(z.object({ day: z.iso.date(), total: Figures, contactPoints: ofContactPoints }))
      .describe('Until today'),
  })
  .register(NAMED_ANSWERS, { id: 'FiguresOfDays' });
export type FiguresAnswer = z.infer<typeof FiguresAnswer>;

export const ExtractCreated = z
  .object({ id: z.uuid(), nextRunAt: time })
  .register(NAMED_ANSWERS, { id: 'ExtractCreated' });
export type ExtractCreated = z.infer<typeof ExtractCreated>;

const ExtractFile = z
  .object({
    id: z.uuid(),
    dueAt: time,
    madeAt: time,
    expiresAt: time,
    rows: z.int(),
    isTruncated: z.boolean().describe('There were more messages than the 10000 that a file has'),
    size: z.int(),
  })
  .register(NAMED_ANSWERS, { id: 'ExtractFile' });

export const ExtractAnswer = z
  .object({
    id: z.uuid(),
    name: z.string(),
    filter: z.record(z.string(), z.unknown()).describe('As the search takes it'),
    sort: z.enum(SORTS),
    schedule: z.object({
      every: z.enum(['day', 'working-day', 'week']),
      weekday: z.enum(WEEKDAYS).nullable(),
      at: z.string(),
    }),
    keepDays: z.int(),
    createdAt: time,
    nextRunAt: time,
    lapsesAt: time.describe('No file is made after this until its owner makes a call about extracts again'),
    files: z.array(ExtractFile).describe('Newest first. A file with a message that is deleted for good is removed'),
  })
  .register(NAMED_ANSWERS, { id: 'Extract' });
export type ExtractAnswer = z.infer<typeof ExtractAnswer>;

export const ExtractList = z.object({ items: z.array(ExtractAnswer) }).register(NAMED_ANSWERS, { id: 'ExtractList' });
export type ExtractList = z.infer<typeof ExtractList>;

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

export const BulkAnswer = z
  .object({
    items: z.array(
      z.object({
        id: z.uuid(),
        done: ChangeAnswer.nullable(),
        problem: ProblemAnswer.nullable().describe('Why it was not done; nothing of this item is changed then'),
      }),
    ),
  })
  .register(NAMED_ANSWERS, { id: 'BulkOutcome' });
export type BulkAnswer = z.infer<typeof BulkAnswer>;
