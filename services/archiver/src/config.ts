import { commonSettings, sealingSettings, wholeNumber } from '@indbakke/shared/config';
import { z } from 'zod';

export const ArchiverConfig = z.object({
  ...commonSettings,
  ...sealingSettings,
  AUDIT_KEEP_MONTHS: wholeNumber(6, 120)
    .default(13)
    .describe('Whole months of the audit log that are kept, before the present one'),
  ZIP_KEEP_HOURS: wholeNumber(1, 7 * 24)
    .default(24)
    .describe('Hours that a zip of many messages can be downloaded'),
  ZIP_MAX_BYTES: wholeNumber(1, 100_000_000_000)
    .default(10_000_000_000)
    .describe('Most bytes of files in a zip of many messages'),
  QUARANTINE_KEEP_DAYS: wholeNumber(1, 3_650)
    .default(90)
    .describe('Days that an entry stays in quarantine after its bytes came last'),
});
export type ArchiverConfig = z.infer<typeof ArchiverConfig>;
