import type { MunicipalityRegistration } from '../local/register-municipality.js';

const SUPERUSER = { kind: 'user', id: 'superbruger-1' } as const;

/** The municipality to practise in that a local stack gets. No authority has this CVR number. */
export const TRAINING_MUNICIPALITY = {
  cvr: '99999999',
  name: 'Øvelse Kommune',
  training: true,
  replyDays: 14,
  closedCaseTeam: 'team-modtagelsen',
  heldRules: [
    { cause: 'unknown-contact-point', action: 'hold', contact: SUPERUSER },
    { cause: 'conflict', action: 'hold', contact: SUPERUSER },
  ],
  contactPoints: [
    { id: '3d1f6a52-0c7b-4e88-a4d1-5b9e2f7c6a10', name: 'Børn og familie', kle: '27.24.00' },
    {
      id: '8e2b7c41-6f3a-4d95-b0c8-1a4d9e5f2b73',
      name: 'Underretninger',
      purpose: 'enquiries',
      isConcern: true,
      assignee: { kind: 'team', id: 'team-modtagelsen' },
    },
  ],
} satisfies MunicipalityRegistration;
