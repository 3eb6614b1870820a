import { z } from 'zod';
import { ContactPoint } from './documents.js';
import { FIGURES_EXAMPLE } from './examples.js';
import { isTraining, NAMED_ANSWERS, time } from './values.js';

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
