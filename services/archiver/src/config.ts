import { auditSettings, commonSettings, sealingSettings, url, wholeNumber } from '@indbakke/shared/config';
import { NightlyWindow } from '@indbakke/shared/danish-time';
import { z } from 'zod';

export const ArchiverConfig = z.object({
  ...commonSettings,
  ...sealingSettings,
  ...auditSettings,
  ZIP_KEEP_HOURS: wholeNumber(1, 7 * 24)
    .default(24)
    .describe('Hours that a zip of many messages can be downloaded'),
  ZIP_MAX_BYTES: wholeNumber(1, 100_000_000_000)
    .default(10_000_000_000)
    .describe('Most bytes of files in a zip of many messages'),
  QUARANTINE_KEEP_DAYS: wholeNumber(1, 3_650)
    .default(90)
    .describe('Days that an entry stays in quarantine after its bytes came last'),
  DELETION_LEDGER_URL: url('file:', 's3:')
    .optional()
    .describe(
      'Place of the deletion ledger: file:///folder or s3://bucket/prefix; default: BLOB_URL with -deletions at its end',
    ),
  SCRUB_WINDOW: NightlyWindow.default('01:00-05:00').describe(
    'When the database is scrubbed of what was deleted, by Danish clocks; off = by hand only',
  ),
});
export type ArchiverConfig = z.infer<typeof ArchiverConfig>;
