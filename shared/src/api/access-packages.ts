import { z } from 'zod';
import { keyOf, NAMED_ANSWERS, NAMED_REQUESTS, Party, text, time } from './values.js';

// The schemas of access packages (aktindsigt).

export const PACKAGE_STATUSES = {
  waiting: 'It is being made, or will be.',
  made: 'It can be downloaded.',
  failed: 'The content of a message could not be read: it must be restored, and the package asked for again.',
} as const;

export const AccessPackageBody = z
  .strictObject({
    citizen: Party.describe('10 or 8 digits, with spaces, hyphens or the prefix DK too'),
    reference: text(100).optional().describe('What the caller calls it; may be personal, and is sealed'),
  })
  .meta({ examples: [{ citizen: '4101019999', reference: 'Aktindsigt 2026-117' }, { citizen: '410101-9999' }] })
  .register(NAMED_REQUESTS, { id: 'NewAccessPackage' });
export type AccessPackageBody = z.infer<typeof AccessPackageBody>;

const EXAMPLE = {
  id: '0197a3b0-0000-7000-8000-000000000007',
  citizen: '4101019999',
  reference: 'Aktindsigt 2026-117',
  status: 'made',
  waitsForScan: false,
  requestedAt: '2026-11-20T08:00:00.000Z',
  madeAt: '2026-11-20T08:00:31.000Z',
  expiresAt: '2026-11-27T08:00:31.000Z',
  messagesDone: 12,
  messageCount: 12,
  size: 48_118_204,
};

export const AccessPackageCreated = z
  .object({ id: z.uuid().describe('Names the package in its calls') })
  .meta({ examples: [{ id: EXAMPLE.id }] })
  .register(NAMED_ANSWERS, { id: 'AccessPackageCreated' });
export type AccessPackageCreated = z.infer<typeof AccessPackageCreated>;

export const AccessPackageAnswer = z
  .object({
    id: z.uuid().describe('Names the package in its calls'),
    citizen: z.string().describe('As it was asked for'),
    reference: z.string().nullable().describe('What the caller calls it'),
    status: keyOf('AccessPackageStatus', PACKAGE_STATUSES),
    waitsForScan: z
      .boolean()
      .describe('It is not made yet, since a file is not scanned for malware yet; within a minute of that it is begun'),
    requestedAt: time.describe('When it was asked for'),
    madeAt: time.nullable().describe('Null until it is made'),
    expiresAt: time.describe('When it is removed'),
    messagesDone: z.int().describe('Messages that are in it so far'),
    messageCount: z.int().nullable().describe('Messages that will be in it; null until that is known'),
    size: z.int().nullable().describe('Bytes; null until it is made'),
  })
  .meta({ examples: [EXAMPLE] })
  .register(NAMED_ANSWERS, { id: 'AccessPackage' });
export type AccessPackageAnswer = z.infer<typeof AccessPackageAnswer>;

export const AccessPackageList = z
  .object({ items: z.array(AccessPackageAnswer).describe('Oldest first') })
  .meta({ examples: [{ items: [EXAMPLE] }] })
  .register(NAMED_ANSWERS, { id: 'AccessPackageList' });
export type AccessPackageList = z.infer<typeof AccessPackageList>;
