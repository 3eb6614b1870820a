import { z } from 'zod';
import { NAMED_ANSWERS, NAMED_REQUESTS, personId, Time, time } from './values.js';

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
