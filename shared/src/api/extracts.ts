import { z } from 'zod';
import { EXTRACT_EXAMPLE } from './examples.js';
import { checkNeeds, DocumentFilter, PAGE, Sort } from './filters.js';
import { keyOf, NAMED_ANSWERS, NAMED_REQUESTS, oneOf, text, time } from './values.js';

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
