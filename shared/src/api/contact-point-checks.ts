import { z } from 'zod';
import { HELD_CAUSES } from '../lifecycle/index.js';
import { ContactPoint } from './documents.js';
import { keyOf, NAMED_ANSWERS, Status, time } from './values.js';

// The schemas of the check of a contact point: does mail really arrive?

const CHECK_STATUSES = {
  waiting: 'The letter with the code has not come yet.',
  arrived: 'The letter with the code is here.',
  missing: 'The letter with the code has not come for an hour: look upstream.',
} as const;

const sentences = { da: z.string().describe('In Danish'), en: z.string().describe('In English') };

/** What looks wrong about a contact point. */
export const CHECK_WARNINGS = {
  'not-visible': 'It is shown to nobody in Digital Post.',
  'arrived-elsewhere': 'The letter with the code came to another contact point.',
  'never-received': 'Nothing has ever come.',
  'no-replies': 'Letters were sent that may be answered to it, and no reply has come.',
  silent: 'Nothing has come for far longer than usual for the weekday and hour.',
  held: 'Messages of it are held.',
} as const;
export type CheckWarning = keyof typeof CHECK_WARNINGS;

const Arrival = z
  .object({
    at: time.describe('When it was received'),
    minutes: z.int().describe('Whole minutes after the start of the check'),
    messageId: z.uuid().describe('The id of the incoming document'),
    contactPoint: ContactPoint.nullable().describe('Where it came; null: to no contact point'),
    status: Status,
    heldCause: keyOf('HeldCause', HELD_CAUSES).nullable().describe('Why it is held; null: it is not'),
  })
  .register(NAMED_ANSWERS, { id: 'ArrivalOfCheck' });

const Check = z
  .object({
    code: z.string().describe('To be written into the subject of a letter to the contact point'),
    startedAt: time.describe('When the check began'),
    startedBy: z.string().describe('Id of the user who began it'),
    status: keyOf('CheckStatus', CHECK_STATUSES),
    arrival: Arrival.nullable().describe('null: not yet'),
  })
  .register(NAMED_ANSWERS, { id: 'Check' });

const Step = z
  .object({
    ...sentences,
    eventNames: z.array(z.string()).describe('What to search for in Administrativ Adgang, if anything'),
  })
  .register(NAMED_ANSWERS, { id: 'StepUpstream' });

const Warning = z
  .object({ code: keyOf('CheckWarning', CHECK_WARNINGS), ...sentences })
  .register(NAMED_ANSWERS, { id: 'WarningOfContactPoint' });

export const ContactPointCheck = z
  .object({
    contactPoint: ContactPoint.describe('Which one'),
    check: Check.nullable().describe('The newest; null: there was none'),
    lastReceivedAt: time.nullable().describe('When its newest message was received; null: none was'),
    received: z
      .object({
        last24Hours: z.int().describe('Messages'),
        last7Days: z.int().describe('Messages'),
        last30Days: z.int().describe('Messages'),
      })
      .register(NAMED_ANSWERS, { id: 'ReceivedLately' })
      .describe('How many messages it got lately'),
    held: z.int().describe('How many of its messages are held now'),
    warnings: z.array(Warning).describe('What looks wrong, with what to do'),
    steps: z
      .array(Step)
      .describe('Where to look upstream, in order, and the remedy; none once the letter with the code is here'),
  })
  .meta({
    examples: [
      {
        contactPoint: { id: '241d39f6-998e-4929-b198-ccacbbf4b330', name: 'Børn og familie' },
        check: {
          code: 'kontrolbdfghk',
          startedAt: '2026-11-20T08:00:00.000Z',
          startedBy: 'superbruger-1',
          status: 'waiting',
          arrival: null,
        },
        lastReceivedAt: '2026-11-20T07:41:12.120Z',
        received: { last24Hours: 14, last7Days: 90, last30Days: 402 },
        held: 0,
        warnings: [],
        steps: [
          {
            da: 'Søg efter brevet i Administrativ Adgang på tidspunkt og kontaktpunkt.',
            en: 'Search for the letter in Administrativ Adgang by time and contact point.',
            eventNames: ['MEMO_SEND_SENT_TO_RECIPIENT_SYSTEM'],
          },
        ],
      },
    ],
  })
  .register(NAMED_ANSWERS, { id: 'ContactPointCheck' });
export type ContactPointCheck = z.infer<typeof ContactPointCheck>;
