import { z } from 'zod';
import { ERRORS } from '../errors/index.js';
import { contactPointIdOf, cprNumberOf, cvrNumberOf, uuidOf } from '../ids/index.js';
import {
  CALLERS_CHANGES,
  CHANNELS,
  DELETION_STATES,
  DELIVERIES,
  HANDOVER_REFUSALS,
  HANDOVER_STATUSES,
  HELD_CAUSES,
  isWaiting,
  KINDS,
  PARTY_RELATIONS,
  REJECTION_REASONS,
  STATUSES,
  type DeletionState as StateOfDeletion,
  type Status as StatusOfMessage,
  SUGGESTION_BASES,
  SUGGESTION_SENDERS,
  SUGGESTION_WARNINGS,
} from '../lifecycle/index.js';
import { MAX_TRANSACTION_SECONDS } from '../store/index.js';
import {
  CHANGED_EXAMPLE,
  COUNTS_EXAMPLE,
  DOCUMENT_EXAMPLE,
  EXTRACT_EXAMPLE,
  FIGURES_EXAMPLE,
  FILE_ID,
  MESSAGE_ID,
  PROBLEM_EXAMPLE,
  SUMMARY_EXAMPLE,
} from './examples.js';

/**
 * The schemas of the inbox API. Times in answers are ISO 8601 in UTC; sizes are bytes. What callers send is strict: a misspelt
 * field must not be taken for an absent one, nor a misspelt filter return the whole inbox.
 */

/** A message appears when the transaction ends in which its receivedAt was taken. */
const APPEARS_WITHIN_SECONDS = MAX_TRANSACTION_SECONDS;

export const keysOf = <Key extends string>(table: Record<Key, unknown>) => Object.keys(table) as [Key, ...Key[]];

/**
 * The schemas that OpenAPI has under a name: every object and every enum, since a generated client calls its types by them. What
 * is both sent and answered is in both.
 */
export const NAMED_REQUESTS = z.registry<{ id: string }>();
export const NAMED_ANSWERS = z.registry<{ id: string }>();

/** One of the keys of a table, each with its meaning. */
export const keyOf = <Key extends string>(id: string, table: Record<Key, string>) =>
  nameBoth(id, z.enum(keysOf(table)).describe(meaningsOf(table)));
export const oneOf = <const Value extends string>(id: string, values: readonly [Value, ...Value[]]) =>
  nameBoth(id, z.enum(values));
const meaningsOf = (table: Record<string, string>) =>
  Object.entries(table)
    .map(([key, meaning]) => `\`${key}\`: ${meaning}`)
    .join(' ');
function nameBoth<Schema extends z.ZodType>(id: string, schema: Schema): Schema {
  NAMED_REQUESTS.add(schema, { id });
  NAMED_ANSWERS.add(schema, { id });
  return schema;
}

export const Status = keyOf('Status', STATUSES);
export const Kind = keyOf('Kind', KINDS);
const PartyRelation = keyOf('PartyRelation', PARTY_RELATIONS);
const SuggestionWarning = keyOf('SuggestionWarning', SUGGESTION_WARNINGS);
const DeletionState = keyOf('DeletionState', DELETION_STATES);
const Delivery = keyOf('Delivery', DELIVERIES);
const Channel = keyOf('Channel', CHANNELS);
const RejectionReason = keyOf('RejectionReason', REJECTION_REASONS);
const { 'handed-over': _handedOver, ...givenReasons } = REJECTION_REASONS;
/** All but that of a handover, which is not for callers to say. */
const GivenRejectionReason = keyOf('GivenRejectionReason', givenReasons);
const CaseStatus = keyOf('CaseStatus', {
  open: 'Messages can be journalized on it.',
  closed: 'No message can be journalized on it.',
  moved: 'Another municipality has it.',
});

/** A time in an answer. */
export const time = z.iso.datetime();
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
export const text = (max: number) => anyText(max).trim().min(1);
const MAX_WITH_SPACE = 10_000;
/** Of so many characters, without the white space around them. */
const textFrom = (min: number, max: number) => anyText(MAX_WITH_SPACE).trim().min(min).max(max);
/** Of a user or team, as a token may have it. Words of the filter `assignee` are none: nobody would find the message again. */
export const personId = text(256)
  .refine((value) => !/[\p{Cc}\uFFFD]/u.test(value), { error: 'must not contain control characters or U+FFFD' })
  .refine((value) => value !== 'me' && value !== 'none', { error: 'must be an id; me and none are words of a filter' });
export const CaseId = text(256).meta({ description: 'The core’s id of a case', examples: ['BF-1'] });
const refuse = (context: z.RefinementCtx, message: string) => {
  context.addIssue({ code: 'custom', message });
  return z.NEVER;
};
export const UUID_FORMS = 'any case; in braces, after `urn:uuid:` or without hyphens too';
/** A UUID of any version and variant, as messages may have it; in its normal form. */
export const Uuid = z
  .string()
  .meta({ format: 'uuid', description: `A UUID: ${UUID_FORMS}`, examples: [MESSAGE_ID] })
  .transform((value, context) => uuidOf(value) ?? refuse(context, 'must be a UUID'));
export const idOf = (what: string) => Uuid.describe(`Id of the ${what}: ${UUID_FORMS}`);
const NUMBER_FORMS = '10 or 8 digits, with spaces, hyphens or the prefix DK too';
export const Party = z
  .string()
  .refine((value) => (cprNumberOf(value) ?? cvrNumberOf(value)) !== undefined, {
    error: 'must be a CPR number of 10 digits or a CVR number of 8',
  })
  .describe(NUMBER_FORMS);

/** A whole number in a query, in one spelling: not 050, +5, 1e2 or 0x10. */
export const wholeNumber = (min: number, max: number) =>
  z.preprocess(
    (value: number | string) => (typeof value === 'string' && /^(0|[1-9]\d{0,8})$/.test(value) ? Number(value) : value),
    z
      .int({ error: `must be a whole number from ${min} to ${max}, in digits` })
      .min(min)
      .max(max),
  );
/** `true` or `false` in a query, and no other spelling. */
export const trueOrFalse = z.preprocess(
  (value: boolean | 'true' | 'false') => (value === 'true' ? true : value === 'false' ? false : value),
  z.boolean({ error: 'must be true or false' }),
);

// --- requests ------------------------------------------------------------------------------------------------------

/** Named filters, each with what it means. */
const VIEWS = {
  mine: 'Suggested for a case of the caller’s.',
  assigned: 'Assigned to the caller or to one of the caller’s teams.',
  nobodys: 'Neither suggested for a case nor assigned.',
  absent: 'Assigned to one of `colleagues`, or suggested for a case of theirs. Only in a body.',
  unhandled: 'Received longer ago than `olderThan`.',
  late: 'Much older than its receipt: moved from Virk, or fetched anew.',
} as const;
export type View = keyof typeof VIEWS;

const ListedStatus = z
  .enum(keysOf(STATUSES))
  .exclude(['deleted'])
  .describe('Deleted messages are in no list.')
  .register(NAMED_REQUESTS, { id: 'ListedStatus' });
/** One or several, separated by commas. */
const Statuses = z
  .preprocess(
    (value: string | string[]) => (typeof value === 'string' ? value.split(',') : value),
    z
      .array(ListedStatus)
      .min(1)
      .max(ListedStatus.options.length)
      .transform((statuses) => [...new Set(statuses)].sort()),
  )
  .default(['pending'])
  .meta({ description: 'One or several, with commas between. Rejected messages are listed only when asked for' });

const CONCERN_FILTERS = {
  any: 'Marked, whatever its clocks.',
  open: 'With a clock that is not met.',
  overdue: 'With a clock that is not met in time.',
} as const;

const OUTCOME_FILTERS = {
  open: 'Nobody has told what became of it.',
  told: 'It is told.',
} as const;

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
  view: keyOf('View', VIEWS).optional(),
  kind: Kind.optional(),
  channel: Channel.optional(),
  contactPoint: text(256)
    .transform(contactPointIdOf)
    .optional()
    .describe(`Id of the contact point that it was sent to; of a UUID: ${UUID_FORMS}`),
  case: CaseId.optional().describe('Suggested for, or journalized on, this case'),
  hasSuggestion: trueOrFalse.optional().describe('Whether a case is suggested for it'),
  party: PartyRelation.optional().describe('Suggested with this party as the sender'),
  warning: SuggestionWarning.optional().describe('Suggested with this warning'),
  assignee: text(256).optional().describe('Id of a user or team, `me` (or one of my teams), or `none`'),
  owner: z.literal('me').optional().describe('Suggested for a case of the caller’s'),
  receivedFrom: Time.optional().describe(
    `Received then or later, with any offset (encode + as %2B). A message appears up to ${APPEARS_WITHIN_SECONDS} seconds after its receivedAt: who polls by time asks from ${APPEARS_WITHIN_SECONDS} seconds before the newest seen`,
  ),
  receivedTo: Time.optional().describe('Received before this'),
  olderThan: Duration.optional().describe('Received longer ago than this: days and hours, such as P3D or PT36H'),
  late: trueOrFalse.optional().describe('Whether its own date is much older than its receipt'),
  flagged: trueOrFalse
    .optional()
    .describe('Whether it has been rejected for longer than the municipality has set, for a person to delete'),
  hasMedia: trueOrFalse.optional().describe('Whether there is sound or video among its files'),
  concern: keyOf('ConcernFilter', CONCERN_FILTERS).optional().describe('Marked as a possible report of concern'),
  outcome: keyOf('OutcomeFilter', OUTCOME_FILTERS)
    .optional()
    .describe('Whether it is told what became of a rejected message; requires `status=rejected`'),
  legalHold: trueOrFalse.optional().describe('Whether it is under a legal hold'),
  deletion: DeletionState.optional().describe(
    'How far its deletion is that waits or runs; with rejected among `status`. Scheduled ones are shown to who may cancel them',
  ),
};

/** Personal filters, which only a body may have. */
export const PERSONAL_FILTERS = {
  q: text(200)
    .optional()
    .describe('Words, beginnings of words, or a CPR or CVR number: in subject, sender and concerning'),
  sender: Party.optional().describe(`CPR or CVR number of the sender: ${NUMBER_FORMS}`),
  concerning: Party.optional().describe('The same of whom it concerns'),
  colleagues: z.array(personId).min(1).max(200).optional().describe('User ids, for the view `absent`'),
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
const Sort = nameBoth('Sort', z.enum(SORTS).describe('The order; `-` = newest first'));
const PAGE = {
  sort: Sort.default('receivedAt').describe(
    '`-` = newest first. Messages without that time come last. replyBy and concernDue: pending and held messages only',
  ),
  cursor: z.string().min(1).max(500).optional().describe('`nextCursor` of the previous page'),
};
const pageOf = (most: number, usual: number) => ({
  ...PAGE,
  limit: wholeNumber(1, most).default(usual).describe(`Most items of the page, ${usual} when absent`),
});

interface Needs {
  readonly status: readonly StatusOfMessage[];
  readonly view?: View | undefined;
  readonly olderThan?: string | undefined;
  readonly colleagues?: readonly string[] | undefined;
  readonly outcome?: string | undefined;
  readonly sort?: string | undefined;
  readonly deletion?: StateOfDeletion | undefined;
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
  if (query.outcome !== undefined && query.status.some((status) => status !== 'rejected')) {
    fault('outcome', 'is of rejected messages only: it requires the status rejected alone');
  }
  if (query.deletion !== undefined && !query.status.includes('rejected'))
    fault('deletion', 'is of rejected messages: ask for status rejected');
  const isByDueTime = /^-?(replyBy|concernDue)$/.test(query.sort ?? '');
  if (isByDueTime && !query.status.every(isWaiting)) {
    fault('sort', 'by a due time is for pending and held messages only');
  }
}

export const DocumentQuery = z.strictObject({ ...FILTERS, ...pageOf(200, 50) }).superRefine(checkNeeds);
export type DocumentQuery = z.infer<typeof DocumentQuery>;
const ZIP_PARTS = {
  cover: 'A cover sheet (følgeseddel) as PDF, in Danish.',
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
/** The filters of a summary. */
export const SummaryQuery = z.strictObject(FILTERS).superRefine(checkNeeds);

const ALL_FILTERS = { ...FILTERS, ...PERSONAL_FILTERS };
export const DocumentFilter = z
  .strictObject(ALL_FILTERS)
  .superRefine(checkNeeds)
  .describe('The filters of a search; {} = all pending messages')
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

const SCHEDULES = {
  day: 'Every day.',
  'working-day': 'Monday to Friday, but no Danish public holiday.',
  week: 'Once a week.',
} as const;
const ScheduleKind = keyOf('ScheduleKind', SCHEDULES);
export const WEEKDAYS = ['monday', 'tuesday', 'wednesday', 'thursday', 'friday', 'saturday', 'sunday'] as const;
const Weekday = oneOf('Weekday', WEEKDAYS);

const Schedule = z
  .strictObject({
    every: ScheduleKind,
    weekday: Weekday.optional().describe('The day, when `every` is `week`'),
    at: z
      .string()
      .regex(/^([01]\d|2[0-3]):[0-5]\d$/, { error: 'must be a time of day, such as 07:30' })
      .describe('In Danish time; once a day even where clocks skip the time or show it twice'),
  })
  .refine(({ every, weekday }) => (every === 'week') === (weekday !== undefined), {
    path: ['weekday'],
    error: 'is required when every is week, and refused otherwise',
  })
  .describe('When a file is made')
  .register(NAMED_REQUESTS, { id: 'Schedule' });
export type Schedule = z.infer<typeof Schedule>;

/** What is searched for, under a name. */
export const NamedSearch = z.strictObject({
  name: text(100).describe('What its owner calls it; may be personal, and is sealed'),
  filter: DocumentFilter,
  sort: PAGE.sort,
});
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
const AssigneeKind = keyOf('AssigneeKind', { user: 'A caseworker.', team: 'Everybody with the team in the token.' });
export const NewAssignee = z
  .strictObject({ kind: AssigneeKind, id: personId.describe('As `sub` or `teams` of a token has it') })
  .describe('Who is to handle the message')
  .register(NAMED_REQUESTS, { id: 'NewAssignee' });

export const AssignmentBody = z
  .strictObject({ assignee: NewAssignee })
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
    reason: keyOf('TakingBackReason', {
      'wrong-case': 'It belongs to another case.',
      'wrong-person': 'It is about somebody else.',
      other: 'Another reason.',
    }),
  })
  .meta({ examples: [{ reason: 'wrong-case' }] })
  .register(NAMED_REQUESTS, { id: 'TakingBack' });

/** A name that goes into URLs and the audit log, so it has no room for a person. */
export const DepartmentId = z
  .string()
  .regex(/^[A-Za-z0-9_-]{1,64}$/, { error: 'must be 1 to 64 letters from a to z, digits, - and _' })
  .toLowerCase()
  .meta({
    description: 'Id of a department in the address book: letters from a to z in any case, digits, - and _',
    examples: ['teknik-og-miljoe'],
  });

const ForwardedTo = z
  .strictObject({
    departmentId: DepartmentId.optional(),
    name: text(256).optional().describe('Of another place. Removed when the message is deleted'),
  })
  .refine(({ departmentId, name }) => (departmentId === undefined) !== (name === undefined), {
    error: 'must have either departmentId or name',
  })
  .register(NAMED_REQUESTS, { id: 'ForwardedTo' });

interface GivenOutcome {
  readonly forwardedTo?: object | undefined;
  readonly senderInformed?: boolean | undefined;
  readonly nothingToDo?: true | undefined;
}
function checkOutcome({ forwardedTo, senderInformed, nothingToDo }: GivenOutcome, context: z.RefinementCtx): void {
  const isDone = forwardedTo !== undefined || senderInformed === true;
  const error = 'must say that it was sent on, that the sender was informed, or else that there is nothing to do';
  if (isDone === (nothingToDo === true)) context.addIssue({ code: 'custom', message: error });
}

/** What became of a rejected message. */
export const OutcomeBody = z
  .strictObject({
    forwardedTo: ForwardedTo.optional().describe('Where it was sent on to'),
    senderInformed: z.boolean().optional().describe('Whether the sender was told; false when absent'),
    nothingToDo: z.literal(true).optional().describe('There was nothing to do; without the others'),
  })
  .superRefine(checkOutcome)
  .meta({
    examples: [
      { forwardedTo: { departmentId: 'teknik-og-miljoe' }, senderInformed: true },
      { forwardedTo: { name: 'Odenskov Kommune' } },
      { nothingToDo: true },
    ],
  })
  .register(NAMED_REQUESTS, { id: 'Outcome' });
export type OutcomeBody = z.infer<typeof OutcomeBody>;

export const RejectionBody = z
  .strictObject({
    reason: GivenRejectionReason,
    explanation: textFrom(3, 1_000).describe('In words, in 3 to 1000 characters. Removed when the message is deleted'),
    outcome: OutcomeBody.optional().describe('What became of it, if that is known; it can be told later'),
  })
  .meta({
    examples: [
      {
        reason: 'wrong-department',
        explanation: 'Brevet handler om vejarbejde.',
        outcome: { forwardedTo: { departmentId: 'teknik-og-miljoe' } },
      },
    ],
  })
  .register(NAMED_REQUESTS, { id: 'Rejection' });

/** Asked again before a message is deleted, whatever was told when it was rejected. */
export const DeletionBody = z
  .strictObject({
    sentOn: z.boolean().describe('Whether the message has been sent on to whom it is for'),
    senderInformed: z.boolean().describe('Whether the sender has been told'),
  })
  .meta({ examples: [{ sentOn: true, senderInformed: false }] })
  .register(NAMED_REQUESTS, { id: 'Deletion' });

const Reason = textFrom(3, 1_000).describe('Why, in words; may be personal. Removed when the message is deleted');
export const LegalHoldBody = z
  .strictObject({ reason: Reason })
  .meta({ examples: [{ reason: 'Retssag om anbringelsen' }] })
  .register(NAMED_REQUESTS, { id: 'LegalHold' });

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
    delivery: Delivery.nullable()
      .optional()
      .describe('Whether it was delivered, as Digital Post has told. Absent: unchanged; null: not told'),
  })
  .meta({ examples: [{ caseId: 'BF-1', recipientId: '4101019999' }] })
  .register(NAMED_REQUESTS, { id: 'SentMessage' });

const PartyOfCase = z
  .strictObject({
    id: Party.describe(`CPR or CVR number: ${NUMBER_FORMS}`),
    relation: PartyRelation.nullable().optional().describe('How the party is related to the child; null: not told'),
  })
  .register(NAMED_REQUESTS, { id: 'PartyOfCase' });
export const Cvr = z
  .string()
  .transform((value, context) => cvrNumberOf(value) ?? refuse(context, 'must be a CVR number of 8 digits'));

/** Microseconds since 1970: more than JavaScript’s times have, since a core may make several changes in a millisecond. */
function microsecondsOf(time: string): string {
  const [, beyondMilliseconds = ''] = /\.\d{3}(\d{1,3})/.exec(time) ?? [];
  return String(BigInt(Date.parse(time)) * 1_000n + BigInt(beyondMilliseconds.padEnd(3, '0')));
}
/** As one whole number, in digits. */
const CaseVersion = z
  .union(
    [
      z.int().min(0).transform(String),
      z
        .string()
        .refine((value) => Time.safeParse(value).success)
        .meta({ format: 'date-time' })
        .transform((value) => microsecondsOf(value.toUpperCase())),
    ],
    { error: 'must be a whole number from 0, or an RFC 3339 date-time' },
  )
  .meta({ examples: [17, '2026-11-20T08:00:00.123456Z'] });

const CASE_FIELDS = {
  status: CaseStatus.optional().describe('Absent: unchanged; of a new case `open`'),
  movedTo: Cvr.nullable()
    .optional()
    .describe(
      'CVR number of the municipality that a moved case went to; with status `moved` only. Absent: unchanged; null: not told',
    ),
  movedFrom: Cvr.nullable()
    .optional()
    .describe('CVR number of the municipality that the case came from. Absent: unchanged; null: none'),
  caseworker: personId
    .nullable()
    .optional()
    .describe('User id of the current caseworker. Absent: unchanged; null: none'),
  team: personId
    .nullable()
    .optional()
    .describe('Id of the team that has the case; shown with a suggestion. Absent: unchanged; null: none'),
  parties: z
    .array(z.union([Party, PartyOfCase], { error: 'must be a number, or an object with id and relation' }))
    .max(200)
    .nullable()
    .optional()
    .describe(
      `All parties: CPR or CVR numbers, with their relation to the child if it is told; numbers are stored as keyed hashes. Absent: unchanged; a list replaces all; null or []: none`,
    ),
  restrictedTo: z
    .array(personId)
    .min(1, { error: 'must name a user; null opens the case to all who may see its messages' })
    .max(200)
    .nullable()
    .optional()
    .describe(
      'User ids: nobody else sees a message that is suggested for the case or journalized on it, whatever their roles; a system that reads for its users must be named itself. Absent: unchanged; null: not restricted',
    ),
  version: CaseVersion.optional().describe(
    'The core’s own version of the case, which grows with each change: a number, or a time, which counts as its microseconds since 1970. One that is older than the registered one changes nothing; of one version that is sent with two contents, the last counts. It requires all other fields, since nothing is taken from a version that comes too late',
  ),
};

const ALL_BUT_VERSION = Object.keys(CASE_FIELDS).filter((field) => field !== 'version');

interface PartOfCase extends Readonly<Record<string, unknown>> {
  readonly status?: string | undefined;
  readonly movedTo?: string | null | undefined;
}
/** Were a part of a version enough, the restriction of a version that comes after it would be lost. */
function checkCase(given: PartOfCase, context: z.RefinementCtx): void {
  const { status, movedTo, version } = given;
  const refuseField = (field: string, message: string) => context.addIssue({ code: 'custom', path: [field], message });
  if (movedTo != null && status !== 'moved') refuseField('movedTo', 'is for a case with the status moved');
  if (version === undefined) return;
  for (const field of ALL_BUT_VERSION)
    if (given[field] === undefined) refuseField(field, 'is missing; a version tells the whole case');
}

const CASE_EXAMPLE = {
  status: 'open',
  movedTo: null,
  movedFrom: null,
  caseworker: 'sagsbehandler-1',
  team: 'team-1',
  parties: [{ id: '4101019999', relation: 'child' }, '4202029999'],
  restrictedTo: null,
  version: 17,
};

/** An absent field leaves what is registered; null, or an empty list of parties, clears it. */
export const CaseBody = z
  .strictObject(CASE_FIELDS)
  .superRefine(checkCase)
  .meta({
    examples: [CASE_EXAMPLE],
  })
  .register(NAMED_REQUESTS, { id: 'Case' });
export type CaseBody = z.infer<typeof CaseBody>;

export const MAX_CASE_LINES = 10_000;
/** A case in a batch of them. */
export const CaseLine = z
  .strictObject({ caseId: CaseId, ...CASE_FIELDS })
  .superRefine(checkCase)
  .meta({
    examples: [{ caseId: 'BF-2', ...CASE_EXAMPLE, version: 18 }],
  })
  .register(NAMED_REQUESTS, { id: 'CaseLine' });
export type CaseLine = z.infer<typeof CaseLine>;

export const UserId = personId.meta({ description: 'Id of a user, as `sub` of a token has it' });
/** Who stands in for a user, and when. */
export const AbsenceBody = z
  .strictObject({
    substitute: personId.describe(
      'Id of the user who stands in: sees, with the role Læs, what is assigned to the absent user or suggested for a case of theirs. Nobody stands in for a substitute who is absent too',
    ),
    from: Time.optional().describe('When it begins; now when absent'),
    until: Time.describe('When it ends'),
  })
  .meta({
    examples: [{ substitute: 'sagsbehandler-2', from: '2026-12-21T00:00:00Z', until: '2027-01-04T00:00:00Z' }],
  })
  .register(NAMED_REQUESTS, { id: 'NewAbsence' });

export const MAX_FIGURES_DAYS = 400;
const Day = z.iso
  .date({ error: 'must be a day, such as 2026-11-20' })
  .refine((day) => day >= '2000-01-01' && day < '9000', { error: 'must be in the years 2000 to 8999' });
/** Days, the first and the last included. */
export const FiguresQuery = z.strictObject({
  from: Day.optional().describe('The first day, in Danish time; 29 days before the last when absent'),
  to: Day.optional().describe(`The last day, in Danish time; today when absent. At most ${MAX_FIGURES_DAYS} days`),
});
export type FiguresQuery = z.infer<typeof FiguresQuery>;

/** As many digits as If-Match takes; PostgreSQL has no larger integer. */
const MAX_VERSION = 999_999_999;
const ITEM = { id: idOf('message'), version: z.int().min(1).max(MAX_VERSION).describe('The version that was read') };
function bulkOf<const Action extends string, Item extends z.ZodType<{ id: string }>>(
  id: string,
  action: Action,
  item: Item,
) {
  NAMED_REQUESTS.add(item, { id: `${id}Item` });
  const items = z
    .array(item)
    .min(1)
    .max(500)
    .refine((list) => new Set(list.map((each) => each.id)).size === list.length, { error: 'must have each id once' })
    .describe('The messages, each once');
  return z
    .strictObject({ action: z.literal(action).describe('What is done to each'), items })
    .register(NAMED_REQUESTS, { id });
}
const ITEM_EXAMPLE = { id: MESSAGE_ID, version: 1 };
/** The same change of many messages, each with its version and the fields that the change of one takes in its body. */
export const BulkBody = z
  .discriminatedUnion('action', [
    bulkOf('BulkAssignment', 'assign', AssignmentBody.safeExtend(ITEM)),
    bulkOf('BulkUnassignment', 'unassign', z.strictObject(ITEM)),
    bulkOf('BulkJournalization', 'journalize', JournalizationBody.safeExtend(ITEM)),
    bulkOf('BulkTakingBack', 'take-back', TakeBackBody.safeExtend(ITEM)),
    bulkOf('BulkRejection', 'reject', RejectionBody.safeExtend(ITEM)),
    bulkOf('BulkTellingOutcome', 'tell-outcome', OutcomeBody.safeExtend(ITEM)), // which keeps what an outcome must say
    bulkOf('BulkReopening', 'reopen', z.strictObject(ITEM)),
    bulkOf('BulkDeletion', 'delete', DeletionBody.safeExtend(ITEM)),
    bulkOf('BulkDeletionConfirmation', 'confirm-deletion', z.strictObject(ITEM)),
    bulkOf('BulkDeletionCancellation', 'cancel-deletion', z.strictObject(ITEM)),
  ])
  .meta({
    examples: [
      { action: 'assign', items: [{ ...ITEM_EXAMPLE, assignee: { kind: 'team', id: 'team-1' } }] },
      { action: 'unassign', items: [ITEM_EXAMPLE] },
      { action: 'journalize', items: [{ ...ITEM_EXAMPLE, caseIds: ['BF-1'] }] },
      { action: 'take-back', items: [{ ...ITEM_EXAMPLE, reason: 'wrong-case' }] },
      { action: 'reject', items: [{ ...ITEM_EXAMPLE, reason: 'duplicate', explanation: 'Modtaget i går.' }] },
      { action: 'tell-outcome', items: [{ ...ITEM_EXAMPLE, senderInformed: true }] },
      { action: 'reopen', items: [ITEM_EXAMPLE] },
      { action: 'delete', items: [{ ...ITEM_EXAMPLE, sentOn: true, senderInformed: false }] },
      { action: 'confirm-deletion', items: [ITEM_EXAMPLE] },
      { action: 'cancel-deletion', items: [ITEM_EXAMPLE] },
    ],
  })
  .register(NAMED_REQUESTS, { id: 'Bulk' });
export type BulkBody = z.infer<typeof BulkBody>;

// --- answers -------------------------------------------------------------------------------------------------------

const Suggestion = z
  .object({
    caseId: z.string().describe('The case that the message probably belongs to'),
    basis: keyOf('SuggestionBasis', SUGGESTION_BASES),
    sender: keyOf('SuggestionSender', SUGGESTION_SENDERS),
    party: PartyRelation.nullable().describe(
      'Which party to the case answers, by its relation to the child, the first that was told if there are several; null: none, or the core has not told its relation',
    ),
    warning: SuggestionWarning.nullable().describe(
      'null: none. Where the core has not told to whom the letter was sent, there is none',
    ),
    caseStatus: CaseStatus.nullable().describe('null: the core has not registered the case'),
    movedTo: z
      .string()
      .nullable()
      .describe(
        'Of a moved case, the CVR number of the municipality that has it now; null: it is not moved, or not told',
      ),
    movedFrom: z
      .string()
      .nullable()
      .describe('CVR number of the municipality that the case came from; null: from none, or not told'),
    caseworker: z.string().nullable().describe('The current caseworker: the owner'),
    team: z.string().nullable().describe('The team that has the case'),
  })
  .register(NAMED_ANSWERS, { id: 'Suggestion' });

const Concern = z
  .object({
    markedAt: time.describe('When it was marked'),
    markedBy: z
      .string()
      .describe('Who marked it: a user, or `serviceplatformen` when its contact point is for concerns'),
    assessBy: time.describe('24 hours after its receipt'),
    assessedAt: time.nullable().describe('null: not yet'),
    confirmBy: time.describe(
      'The end of the 6th working day after its receipt: the notifier must have a confirmation by then',
    ),
    confirmedAt: time.nullable().describe('null: not yet'),
  })
  .register(NAMED_ANSWERS, { id: 'Concern' });

const Outcome = z
  .object({
    forwardedTo: z
      .object({
        departmentId: z.string().nullable().describe('In the address book; null: another place'),
        name: z.string().describe('Of the department, also of one that was removed since, or of another place'),
      })
      .register(NAMED_ANSWERS, { id: 'ForwardedToPlace' })
      .nullable()
      .describe('Where it was sent on to; null: it was not'),
    senderInformed: z.boolean().describe('Whether the sender was told'),
    nothingToDo: z.boolean().describe('Neither of both, since there was nothing to do'),
    at: time.describe('When it was told'),
    by: z.string().describe('Who told it'),
  })
  .register(NAMED_ANSWERS, { id: 'OutcomeOfRejection' });

const Rejection = z
  .object({
    reason: RejectionReason,
    explanation: z
      .string()
      .nullable()
      .describe('In the words of the caseworker; null: it was rejected before they were required'),
    outcome: Outcome.nullable().describe('What became of it; null: nobody has told yet'),
    at: time.describe('When it was rejected'),
    by: z.string().describe('Who rejected it'),
  })
  .register(NAMED_ANSWERS, { id: 'RejectionOfMessage' });

const Deletion = z
  .object({
    state: DeletionState,
    requestedAt: time.describe('When it was asked for'),
    requestedBy: z.string().describe('Who asked for it: a person, or a system that did so by itself'),
    confirmedBy: z.string().nullable().describe('Who confirmed it; null: nobody, or nobody needs to'),
    dueAt: time.nullable().describe('When the message is destroyed; null: it waits for another person'),
    sentOn: z.boolean().describe('Whether the message has been sent on to whom it is for'),
    senderInformed: z.boolean().describe('Whether the sender has been told'),
  })
  .register(NAMED_ANSWERS, { id: 'DeletionOfMessage' });

const Representative = z
  .object({
    id: z.string().nullable().describe('Such as a CPR or CVR number; null: the message does not say'),
    idType: z.string().nullable().describe('Of which kind the id is, such as CPR or CVR'),
    name: z.string().nullable().describe('null: the message does not say'),
  })
  .register(NAMED_ANSWERS, { id: 'Representative' });
const Sender = z
  .object({
    id: z.string().describe('Such as a CPR or CVR number'),
    idType: z.string().describe('Of which kind the id is, such as CPR or CVR'),
    name: z.string().describe('As the message has it'),
    representative: Representative.nullable().describe('Who acts on behalf of the sender'),
  })
  .describe('Who sent the message')
  .register(NAMED_ANSWERS, { id: 'Sender' });
const Concerning = z
  .object({
    id: z.string().nullable().describe('CPR or CVR number; null: only a name is known'),
    name: z.string().nullable().describe('null: only the number is known'),
  })
  .register(NAMED_ANSWERS, { id: 'Concerning' });
export const ContactPoint = z
  .object({
    id: z.string().describe('In Digital Post'),
    name: z.string().nullable().describe('As the municipality is set up here; null: it is not'),
  })
  .register(NAMED_ANSWERS, { id: 'ContactPoint' });
const Remark = z
  .object({
    code: z.string().describe('Which fault'),
    path: z.string().describe('Of the element at fault'),
  })
  .register(NAMED_ANSWERS, { id: 'Remark' });
const Change = z
  .enum(keysOf(CALLERS_CHANGES))
  .describe('A change that callers make.')
  .register(NAMED_ANSWERS, { id: 'Change' });

export const Assignee = z
  .object({ kind: AssigneeKind, id: z.string().describe('As `sub` or `teams` of a token has it') })
  .describe('Who is to handle the message')
  .register(NAMED_ANSWERS, { id: 'Assignee' });

const AnswerToMessage = z
  .object({
    messageUUID: z.string().describe('messageUUID of the letter that answers it, the newest if there are several'),
    at: time.describe('When that letter was first set up'),
    delivery: Delivery.nullable().describe('Whether that letter was delivered; null: the core has not told'),
  })
  .register(NAMED_ANSWERS, { id: 'AnswerToMessage' });

/** Mail of a training municipality looks like any other, so every answer that a screen is made of says it. */
export const isTraining = z.boolean().describe('Whether the municipality is one to practise in: its mail is made up');

export const DocumentSummary = z
  .object({
    id: z.uuid().describe('Names the message in all calls'),
    externalId: z.string().describe('messageUUID in lower case with hyphens; sha256:… if it is not a UUID'),
    version: z.int().describe('Send it in If-Match to change the message'),
    status: Status,
    heldCause: keyOf('HeldCause', HELD_CAUSES).nullable().describe('Why it is held; null: it is not'),
    kind: Kind,
    channel: Channel,
    receivedAt: time.describe('When it was wholly received and about to be stored'),
    firstOfferedAt: time.describe('When its upload began'),
    letterAt: time.describe('Its own date; receivedAt if it has none, or one before 2000 or after its receipt'),
    ageHours: z.int().describe('Whole hours since receivedAt'),
    late: z.boolean().describe('Its own date is much older than its receipt: moved from Virk, or fetched anew'),
    replyBy: time.nullable().describe('When the sender wants an answer by'),
    replyOverdue: z.boolean().describe('replyBy is over and the message still waits; never of a late one'),
    subject: z.string().describe('As the sender wrote it; may be personal'),
    sender: Sender,
    concerning: Concerning.nullable().describe(
      'Whom it concerns: by ContentData/CPRdata, else by the labels of contactInfo',
    ),
    contactPoint: ContactPoint.nullable().describe('To which contact point it was sent; null: to none'),
    suggestion: Suggestion.nullable().describe('The case that it is suggested for; null: none was found, or is yet'),
    assignee: Assignee.nullable().describe('Who is to handle it; null: nobody'),
    answer: AnswerToMessage.nullable().describe('Not null: a letter that answers it is set up'),
    concern: Concern.nullable().describe('Not null: it may be a report of concern'),
    documentCount: z.int().describe('The main document, attachments and technical documents'),
    attachmentCount: z.int().describe('Documents with the role additional'),
    fileCount: z.int().describe('Files of all documents'),
    contentSize: z.int().describe('Bytes of all files'),
    hasMedia: z.boolean().describe('Whether there is sound or video among the files'),
    rejection: Rejection.nullable().describe('Not null: it is rejected'),
    deletion: Deletion.nullable().describe('Not null: its deletion waits for another person, or for its due time'),
    legalHold: z.boolean().describe('Whether it is under a legal hold: then nothing of it is deleted'),
    contentRemovedAt: time
      .nullable()
      .describe(
        'When its content was removed after the time that the municipality has set, with all that is personal: its texts, names, documents and files are empty then. Journalized messages only',
      ),
    remarks: z.array(Remark).describe('Minor faults of the message as it was sent'),
    allowed: z.array(Change).describe('The changes that this caller may make now'),
    isTraining,
  })
  .register(NAMED_ANSWERS, { id: 'IncomingDocumentSummary' });
export type DocumentSummary = z.infer<typeof DocumentSummary>;

/** A page of the history ends after so many messages as it may read, however few of them meet the filters. */
export const nextCursor = z
  .string()
  .nullable()
  .describe('null on the last page. A page before it may have fewer items than its limit, even none');

export const DocumentList = z
  .object({
    items: z.array(DocumentSummary).describe('In the order of `sort`'),
    nextCursor,
  })
  .meta({ examples: [{ items: [SUMMARY_EXAMPLE], nextCursor: null }] })
  .register(NAMED_ANSWERS, { id: 'IncomingDocumentList' });

const FileAnswer = z
  .object({
    id: z.uuid().describe('Names the file in its download'),
    fileName: z.string().describe('As the sender named it; may be personal'),
    encodingFormat: z.string().describe('The MIME type that the sender claims'),
    detectedFormat: z.string().nullable().describe('The MIME type that the first bytes show; null when they show none'),
    language: z.string().describe('That the sender claims, such as da'),
    size: z.int().describe('Bytes'),
    sha256: z.string().nullable().describe('Of the content, in hexadecimal; null: not stored'),
    status: oneOf('FileStatus', ['expected', 'stored', 'missing']).describe('Only a stored file has content'),
  })
  .register(NAMED_ANSWERS, { id: 'File' });

const Document = z
  .object({
    role: keyOf('DocumentRole', {
      main: 'The main document.',
      additional: 'An attachment.',
      technical: 'For machines.',
    }),
    documentId: z.string().nullable().describe('That the sender gave it'),
    label: z.string().nullable().describe('That the sender gave it'),
    files: z.array(FileAnswer).describe('One or several formats of the same document'),
  })
  .register(NAMED_ANSWERS, { id: 'Document' });
const ContactInfo = z
  .object({ label: z.string().describe('Of the field'), value: z.string().describe('What is in it') })
  .register(NAMED_ANSWERS, { id: 'ContactInfo' });
const Journalization = z
  .object({
    caseId: z.string().describe('The case that has the content'),
    reference: z.string().nullable().describe('The core’s own reference to the journal entry'),
    fileIds: z.array(z.uuid()).describe('The files that were named as the journalized variants'),
    at: time.describe('When it was journalized'),
    by: z.string().describe('Who journalized it'),
  })
  .register(NAMED_ANSWERS, { id: 'JournalizationOfMessage' });
const LegalHold = z
  .object({
    reason: z.string().describe('Why it was set'),
    setAt: time.describe('When it was set'),
    setBy: z.string().describe('Who set it'),
    liftedAt: time.nullable().describe('When it was lifted; null: it holds'),
    liftedBy: z.string().nullable().describe('Who lifted it'),
    liftedReason: z.string().nullable().describe('Why it was lifted'),
  })
  .register(NAMED_ANSWERS, { id: 'LegalHoldOfMessage' });
const HistoryEntry = z
  .object({
    at: time.describe('When it happened'),
    action: z.string().describe('What happened: a change, such as `accepted` or `suggested`'),
    by: z.string().describe('Who did it: a user, or a system'),
    details: z.record(z.string(), z.unknown()).describe('Codes, ids and times, by action'),
  })
  .register(NAMED_ANSWERS, { id: 'HistoryEntry' });

export const HANDOVER_FACTS = {
  handoverId: z.uuid().describe('Names the offer in its calls'),
  direction: oneOf('HandoverSide', ['in', 'out']).describe(
    'in: another municipality offered it to this one; out: the other way',
  ),
  municipality: z.string().describe('CVR number of the other municipality'),
  status: keyOf('HandoverStatus', HANDOVER_STATUSES),
  caseId: z.string().describe('The case, by its id in the municipality that it moved to, as the offering side told'),
  offeredAt: time.describe('When it was offered'),
  offeredBy: z.string().describe('User id, of the offering municipality'),
  expiresAt: time.describe('When the offer ends by itself'),
  endedAt: time.nullable().describe('When it was taken, refused or ended otherwise; null: it is open'),
  endedBy: z
    .string()
    .nullable()
    .describe('User id, of the municipality that ended it, or `indbakke`; null: it is open'),
  refusalReason: keyOf('HandoverRefusalReason', HANDOVER_REFUSALS).nullable().describe('null: it was not refused'),
  receivedAt: time.describe('When the offering municipality received the message'),
};

/** At a message: the newest offer of it, or the one that it came by. */
export const HandoverOfMessage = z.object(HANDOVER_FACTS).register(NAMED_ANSWERS, { id: 'HandoverOfMessage' });
export type HandoverOfMessage = z.infer<typeof HandoverOfMessage>;

export const DocumentAnswer = DocumentSummary.extend({
  sentAt: time
    .nullable()
    .describe('When the message itself says that it was sent, also when that is not plausible; null: it does not say'),
  documents: z.array(Document).describe('In the order of the message, with their files'),
  contactInfo: z.array(ContactInfo).describe('What the sender filled in at the contact point'),
  journalizations: z.array(Journalization).describe('The cases that it is on; none unless it is journalized'),
  legalHolds: z.array(LegalHold).describe('Its legal holds, newest first; also lifted ones'),
  handover: HandoverOfMessage.nullable().describe(
    'The newest offer of it to another municipality, or the one that it came by; null: none',
  ),
  history: z.array(HistoryEntry).describe('What happened to the message, oldest first'),
})
  .meta({ examples: [DOCUMENT_EXAMPLE] })
  .register(NAMED_ANSWERS, { id: 'IncomingDocument' });
export type DocumentAnswer = z.infer<typeof DocumentAnswer>;

export const ChangeAnswer = z
  .object({
    id: z.uuid().describe('Of the message'),
    status: Status,
    version: z.int().describe('The version after the change; also in ETag'),
  })
  .meta({ examples: [CHANGED_EXAMPLE] })
  .register(NAMED_ANSWERS, { id: 'Changed' });
export type ChangeAnswer = z.infer<typeof ChangeAnswer>;

export const DocumentIds = z
  .object({
    items: z
      .array(
        z
          .object({
            id: z.uuid().describe('Of the message'),
            version: z.int().describe('Send it with the id in a bulk'),
          })
          .register(NAMED_ANSWERS, { id: 'IncomingDocumentId' }),
      )
      .describe('In the order of `sort`'),
    nextCursor,
  })
  .meta({ examples: [{ items: [{ id: MESSAGE_ID, version: 2 }], nextCursor: null }] })
  .register(NAMED_ANSWERS, { id: 'IncomingDocumentIds' });

const count = z.int().describe('Of the messages that were counted (isMore)');
const countOf = <Fields extends z.ZodRawShape>(id: string, fields: Fields) =>
  z.object({ ...fields, count }).register(NAMED_ANSWERS, { id });
const ConcernCounts = z
  .object({
    open: count.describe('With a clock that is not met'),
    assessOverdue: count.describe('Not assessed in time'),
    confirmOverdue: count.describe('Whose receipt is not confirmed to the notifier in time'),
    nextDue: time.nullable().describe('When the next clock that is not met is over; null: none runs'),
  })
  .describe('Possible reports of concern')
  .register(NAMED_ANSWERS, { id: 'ConcernCounts' });
const DeletionCounts = z
  .object({
    requested: count.describe('Whose deletion waits for another person'),
    scheduled: count.describe('That are destroyed at their due times; shown to who may cancel that'),
    nextDue: time.nullable().describe('When the next one is destroyed; null: none is scheduled'),
  })
  .describe('Deletions that wait or run; of rejected messages, so only when these are counted')
  .register(NAMED_ANSWERS, { id: 'DeletionCounts' });
/** A message that matches is counted once in each group. */
export const DocumentCounts = z
  .object({
    at: time.describe('When they were counted'),
    total: count,
    isMore: z
      .boolean()
      .describe(
        'Whether there are more than were counted. Counted are, of each status, the 10000 oldest that are pending or held, and the 1000 newest that are journalized or rejected; with `outcome=open` the 10000 oldest',
      ),
    status: z.array(countOf('CountOfStatus', { status: Status })).describe('By status'),
    kind: z.array(countOf('CountOfKind', { kind: Kind })).describe('By kind'),
    contactPoint: z
      .array(
        countOf('CountOfContactPoint', {
          id: z.string().nullable().describe('null: of no contact point'),
          name: z.string().nullable().describe('As the municipality is set up here; null: it is not'),
        }),
      )
      .describe('By contact point'),
    assignee: z
      .array(countOf('CountOfAssignee', { id: z.string().nullable().describe('null: nobody’s') }))
      .describe('By the caseworker whom it is assigned to'),
    team: z
      .array(countOf('CountOfTeam', { id: z.string().describe('Of the team') }))
      .describe('By the team that it is assigned to'),
    age: z
      .array(countOf('CountOfAge', { olderThan: z.string().describe('Such as P3D') }))
      .describe('Received longer ago than this, and not than the next'),
    late: count,
    replyOverdue: count,
    flagged: z
      .int()
      .describe(
        'Rejected for longer than the municipality has set, for a person to delete: of the same filters, whatever `status` asks for; at most 10000',
      ),
    concern: ConcernCounts,
    outcomeOpen: count.describe('Rejected, and nobody has told what became of it. Ask with `status=rejected`'),
    legalHold: count.describe('Under a legal hold'),
    deletion: DeletionCounts,
    isTraining,
  })
  .meta({ examples: [COUNTS_EXAMPLE] })
  .register(NAMED_ANSWERS, { id: 'IncomingDocumentCounts' });
export type DocumentCounts = z.infer<typeof DocumentCounts>;

/** The main document as text, if it is text or HTML. */
export const TextAnswer = z
  .object({
    fileId: z.uuid().nullable().describe('null: the main document has no file that is text or HTML'),
    text: z.string().nullable().describe('Without markup; links are not followed'),
    isTruncated: z.boolean().describe('The document is longer than the text'),
  })
  .meta({ examples: [{ fileId: FILE_ID, text: 'Kære kommune\n\nJeg svarer på jeres brev.', isTruncated: false }] })
  .register(NAMED_ANSWERS, { id: 'TextOfMainDocument' });
export type TextAnswer = z.infer<typeof TextAnswer>;

const Hours = z
  .object({
    p50: z.number().nullable().describe('Half, in hours'),
    p90: z.number().nullable().describe('Nine tenths, in hours'),
  })
  .describe(
    'The hours within which half (p50) or nine tenths (p90) of the messages received then were seen or handled. null: they are fewer than 5, or so many of them are not yet',
  )
  .register(NAMED_ANSWERS, { id: 'Hours' });
const Figures = z
  .object({
    received: z.int().describe('Messages received in the time'),
    handled: z
      .int()
      .describe('Journalized or rejected then; what was taken back or reopened counts when it is done again'),
    waiting: z.int().describe('At the end'),
    hoursToFirstLook: Hours,
    hoursToHandling: Hours,
  })
  .describe('Of a day, or of all days together')
  .register(NAMED_ANSWERS, { id: 'Figures' });
const ofContactPoints = z
  .array(
    Figures.extend({ contactPoint: ContactPoint.nullable().describe('null: sent to none') }).register(NAMED_ANSWERS, {
      id: 'FiguresOfContactPoint',
    }),
  )
  .describe('The same by contact point');
const FiguresOfDay = z
  .object({ day: z.iso.date().describe('In Danish time'), total: Figures, contactPoints: ofContactPoints })
  .register(NAMED_ANSWERS, { id: 'FiguresOfDay' });
/** Counts and times without anything of a person, a message or a case. Without held messages. */
export const FiguresAnswer = z
  .object({
    at: time.describe('When they were counted'),
    isTraining,
    total: Figures,
    contactPoints: ofContactPoints,
    days: z.array(FiguresOfDay).describe('Until today'),
  })
  .meta({ examples: [FIGURES_EXAMPLE] })
  .register(NAMED_ANSWERS, { id: 'FiguresOfDays' });
export type FiguresAnswer = z.infer<typeof FiguresAnswer>;

export const ExtractCreated = z
  .object({
    id: z.uuid().describe('Names the extract in its calls'),
    nextRunAt: time.describe('When its first file is due'),
  })
  .meta({ examples: [{ id: EXTRACT_EXAMPLE.id, nextRunAt: EXTRACT_EXAMPLE.nextRunAt }] })
  .register(NAMED_ANSWERS, { id: 'ExtractCreated' });
export type ExtractCreated = z.infer<typeof ExtractCreated>;

const ExtractFile = z
  .object({
    id: z.uuid().describe('Names the file in its download'),
    dueAt: time.describe('When the schedule wanted it'),
    madeAt: time.describe('When it was made: it shows the inbox of then'),
    expiresAt: time.describe('When it is removed'),
    rows: z.int().describe('Messages in it'),
    isTruncated: z.boolean().describe('There were more messages than the 10000 that a file has'),
    size: z.int().describe('Bytes'),
  })
  .register(NAMED_ANSWERS, { id: 'ExtractFile' });

export const ExtractAnswer = z
  .object({
    id: z.uuid().describe('Names the extract in its calls'),
    name: z.string().describe('What its owner calls it'),
    filter: z.record(z.string(), z.unknown()).describe('As the search takes it'),
    sort: Sort,
    schedule: z
      .object({
        every: ScheduleKind,
        weekday: Weekday.nullable().describe('null: not weekly'),
        at: z.string().describe('Time of day in Danish time'),
      })
      .describe('When a file is made')
      .register(NAMED_ANSWERS, { id: 'ScheduleOfExtract' }),
    keepDays: z.int().describe('How long each file is kept'),
    createdAt: time.describe('When it was created'),
    nextRunAt: time.describe('When the next file is due'),
    lapsesAt: time.describe('No file is made after this until its owner makes a call about extracts again'),
    files: z.array(ExtractFile).describe('Newest first. A file with a message that is deleted for good is removed'),
  })
  .meta({ examples: [EXTRACT_EXAMPLE] })
  .register(NAMED_ANSWERS, { id: 'Extract' });
export type ExtractAnswer = z.infer<typeof ExtractAnswer>;

export const ExtractList = z
  .object({ items: z.array(ExtractAnswer).describe('Oldest first') })
  .meta({ examples: [{ items: [EXTRACT_EXAMPLE] }] })
  .register(NAMED_ANSWERS, { id: 'ExtractList' });
export type ExtractList = z.infer<typeof ExtractList>;

/** RFC 9457. */
export const ProblemAnswer = z
  .object({
    type: z.string().describe('urn:indbakke:error: and the code'),
    title: z.string().describe('What the code means'),
    status: z.int().describe('Of the answer, over HTTP'),
    detail: z.string().describe('What it is here, for people'),
    code: z.enum(keysOf(ERRORS)).describe('Stable: react to this').register(NAMED_ANSWERS, { id: 'ErrorCode' }),
    path: z.string().optional().describe('The field or element at fault'),
    oldest: z.int().optional().describe('position-gone: the oldest event there is, or will be'),
    correlationId: z.string().describe('Has the log’s lines of this call; quote it when you report a fault'),
  })
  .meta({ examples: [PROBLEM_EXAMPLE] })
  .register(NAMED_ANSWERS, { id: 'Problem' });

/** What became of a line of a batch of cases. */
const CASE_LINE_STATUSES = {
  stored: 'It is registered.',
  unchanged: 'It was registered like this already.',
  older: 'A newer version is registered; this one changes nothing.',
  invalid: 'It is refused: correct it before you send it again.',
  failed: 'It could not be stored: send it again.',
} as const;
export const CaseLineAnswer = z
  .object({
    line: z.int().describe('Its number in the body, from 1 on; empty lines count, and are not answered'),
    caseId: z.string().nullable().describe('null: the line has none'),
    status: keyOf('CaseLineStatus', CASE_LINE_STATUSES),
    problem: ProblemAnswer.nullable().describe('Why it is invalid or failed'),
  })
  .meta({ examples: [{ line: 1, caseId: 'BF-2', status: 'stored', problem: null }] })
  .register(NAMED_ANSWERS, { id: 'CaseLineAnswer' });
export type CaseLineAnswer = z.infer<typeof CaseLineAnswer>;

export const AbsenceAnswer = z
  .object({
    userId: z.string().describe('Who is absent'),
    substitute: z.string().describe('Who stands in'),
    from: time.describe('When it begins'),
    until: time.describe('When it ends'),
    setBy: z.string().describe('Who set it'),
  })
  .meta({
    examples: [
      {
        userId: 'sagsbehandler-1',
        substitute: 'sagsbehandler-2',
        from: '2026-12-21T00:00:00.000Z',
        until: '2027-01-04T00:00:00.000Z',
        setBy: 'sagsbehandler-1',
      },
    ],
  })
  .register(NAMED_ANSWERS, { id: 'Absence' });
export type AbsenceAnswer = z.infer<typeof AbsenceAnswer>;

const BulkOutcome = z
  .object({
    id: z.uuid().describe('Of the message'),
    done: ChangeAnswer.nullable().describe('What it is after the change; null: it was not made'),
    problem: ProblemAnswer.nullable().describe('Why it was not done; nothing of this item is changed then'),
  })
  .register(NAMED_ANSWERS, { id: 'BulkOutcome' });
export const BulkAnswer = z
  .object({ items: z.array(BulkOutcome).describe('In the order of the items of the call') })
  .meta({
    examples: [
      {
        items: [
          { id: MESSAGE_ID, done: CHANGED_EXAMPLE, problem: null },
          { id: FILE_ID, done: null, problem: PROBLEM_EXAMPLE },
        ],
      },
    ],
  })
  .register(NAMED_ANSWERS, { id: 'BulkOutcomes' });
export type BulkAnswer = z.infer<typeof BulkAnswer>;
