import { z } from 'zod';
import { ERRORS } from '../errors/index.js';
import { cprNumberOf, cvrNumberOf, uuidOf } from '../ids/index.js';
import { CHANNELS, DELIVERIES, KINDS, PARTY_RELATIONS, STATUSES } from '../lifecycle/index.js';
import { MESSAGE_ID, PROBLEM_EXAMPLE } from './examples.js';

/**
 * What the schemas of the inbox API are made of. Times in answers are ISO 8601 in UTC; sizes are bytes. What callers send is strict: a
 * misspelt field must not be taken for an absent one, nor a misspelt filter return the whole inbox.
 */

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

export function nameBoth<Schema extends z.ZodType>(id: string, schema: Schema): Schema {
  NAMED_REQUESTS.add(schema, { id });
  NAMED_ANSWERS.add(schema, { id });
  return schema;
}

export const Status = keyOf('Status', STATUSES);

export const Kind = keyOf('Kind', KINDS);

export const Delivery = keyOf('Delivery', DELIVERIES);

export const PartyRelation = keyOf('PartyRelation', PARTY_RELATIONS);
export const Channel = keyOf('Channel', CHANNELS);

export const CaseStatus = keyOf('CaseStatus', {
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
export const textFrom = (min: number, max: number) => anyText(MAX_WITH_SPACE).trim().min(min).max(max);

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

export const NUMBER_FORMS = '10 or 8 digits, with spaces, hyphens or the prefix DK too';

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

export const AssigneeKind = keyOf('AssigneeKind', {
  user: 'A caseworker.',
  team: 'Everybody with the team in the token.',
});

/** A name that goes into URLs and the audit log, so it has no room for a person. */
export const DepartmentId = z
  .string()
  .regex(/^[A-Za-z0-9_-]{1,64}$/, { error: 'must be 1 to 64 letters from a to z, digits, - and _' })
  .toLowerCase()
  .meta({
    description: 'Id of a department in the address book: letters from a to z in any case, digits, - and _',
    examples: ['teknik-og-miljoe'],
  });

export const Cvr = z
  .string()
  .transform((value, context) => cvrNumberOf(value) ?? refuse(context, 'must be a CVR number of 8 digits'));

export const UserId = personId.meta({ description: 'Id of a user, as `sub` of a token has it' });

export const Assignee = z
  .object({ kind: AssigneeKind, id: z.string().describe('As `sub` or `teams` of a token has it') })
  .describe('Who is to handle the message')
  .register(NAMED_ANSWERS, { id: 'Assignee' });

/** Mail of a training municipality looks like any other, so every answer that a screen is made of says it. */
export const isTraining = z.boolean().describe('Whether the municipality is one to practise in: its mail is made up');

/** A page of the history ends after so many messages as it may read, however few of them meet the filters. */
export const nextCursor = z
  .string()
  .nullable()
  .describe('null on the last page. A page before it may have fewer items than its limit, even none');

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
    choices: z
      .array(z.string())
      .optional()
      .describe('municipality-required: CVR numbers, one of which the call must name'),
    correlationId: z.string().describe('Has the log’s lines of this call; quote it when you report a fault'),
  })
  .meta({ examples: [PROBLEM_EXAMPLE] })
  .register(NAMED_ANSWERS, { id: 'Problem' });
