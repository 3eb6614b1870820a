import { z } from 'zod';
import {
  CaseId,
  CaseStatus,
  Cvr,
  Delivery,
  keyOf,
  NAMED_ANSWERS,
  NAMED_REQUESTS,
  NUMBER_FORMS,
  Party,
  PartyRelation,
  ProblemAnswer,
  personId,
  Time,
  text,
} from './values.js';

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
