import { z } from 'zod';
import { ONWARD_CODES, ONWARD_STATUSES } from '../lifecycle/index.js';
import { Cvr, keyOf, NAMED_ANSWERS, NAMED_REQUESTS, text, time, Uuid } from './values.js';

/** To whom a rejected message is sent on. */
export const OnwardBody = z
  .strictObject({
    recipient: Cvr.describe('CVR number of the authority; another system of the municipality has its own'),
    kle: z
      .string()
      .regex(/^\d\d\.\d\d\.\d\d$/, { error: 'must be a KLE number, such as 27.24.00' })
      .describe('What it is about, such as 27.24.00; without `receiver` it is routed by it'),
    facet: z
      .string()
      .regex(/^[A-ZÆØÅ]\d\d$/, { error: 'must be a facet of KLE, such as G01' })
      .optional()
      .describe('Facet of KLE, such as G01'),
    receiver: Uuid.optional().describe('UUID of the system there that gets it (RoutingModtagerAktoer)'),
    title: text(256)
      .optional()
      .describe('What the recipient reads; the subject when absent. Removed when the message is deleted'),
  })
  .meta({ examples: [{ recipient: '33333333', kle: '27.24.00', facet: 'G01' }] })
  .register(NAMED_REQUESTS, { id: 'OnwardDistribution' });

export type OnwardBody = z.infer<typeof OnwardBody>;

const OnwardReceipt = z
  .object({
    code: keyOf('OnwardCode', ONWARD_CODES),
    reason: z.string().nullable().describe('In words, which may be personal; null: none'),
  })
  .register(NAMED_ANSWERS, { id: 'OnwardReceipt' });

/** Of a message that is sent on to another authority. */
export const OnwardDistribution = z
  .object({
    recipient: z.string().describe('CVR number of the authority'),
    kle: z.string().describe('What it is about, such as 27.24.00'),
    facet: z.string().nullable().describe('Facet of KLE; null: none'),
    receiver: z.string().nullable().describe('UUID of the system there; null: it is routed by KLE'),
    status: keyOf('OnwardStatus', ONWARD_STATUSES),
    at: time.describe('When it was asked for'),
    by: z.string().describe('Who asked for it'),
    technicalReceipt: OnwardReceipt.nullable().describe('Whether it can be read and routed; null: not known yet'),
    businessReceipt: OnwardReceipt.nullable().describe('What the recipient says; null: nothing yet'),
    attempts: z.int().describe('To send it'),
    fault: z.string().nullable().describe('Why the last attempt failed, as a code; null: none has failed'),
  })
  .register(NAMED_ANSWERS, { id: 'OnwardDistributionOfMessage' });

export type OnwardDistribution = z.infer<typeof OnwardDistribution>;
