import { z } from 'zod';
import { contactPointIdOf } from '../ids/index.js';
import {
  isWaiting,
  STATUSES,
  type DeletionState as StateOfDeletion,
  type Status as StatusOfMessage,
} from '../lifecycle/index.js';
import { MAX_TRANSACTION_SECONDS } from '../store/index.js';
import { SuggestionWarning } from './documents.js';
import { DeletionState } from './rejection.js';
import {
  CaseId,
  Channel,
  Kind,
  keyOf,
  keysOf,
  NAMED_REQUESTS,
  NUMBER_FORMS,
  nameBoth,
  Party,
  PartyRelation,
  personId,
  Time,
  text,
  trueOrFalse,
  UUID_FORMS,
  wholeNumber,
} from './values.js';

/**
 * The schemas of the inbox API. Times in answers are ISO 8601 in UTC; sizes are bytes. What callers send is strict: a misspelt
 * field must not be taken for an absent one, nor a misspelt filter return the whole inbox.
 */

/** A message appears when the transaction ends in which its receivedAt was taken. */
const APPEARS_WITHIN_SECONDS = MAX_TRANSACTION_SECONDS;

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
    .describe('Words, beginnings of words, or a CPR or CVR number: in subject, sender, concerning and parties'),
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

export const Sort = nameBoth('Sort', z.enum(SORTS).describe('The order; `-` = newest first'));

export const PAGE = {
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
export function checkNeeds(query: Needs, context: z.RefinementCtx): void {
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
