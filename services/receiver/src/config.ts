import {
  commonSettings,
  GiB,
  KiB,
  MiB,
  quarantineSettings,
  replySettings,
  sealingSettings,
  wholeNumber,
} from '@indbakke/shared/config';
import { z } from 'zod';

export const ReceiverConfig = z.object({
  ...commonSettings,
  ...sealingSettings,
  MAX_MESSAGE_BYTES: wholeNumber(1, 2 ** 40)
    .default(110 * MiB)
    .describe('Largest delivery. Digital Post’s limit is 99.5 MB, MB or MiB unknown'),
  MAX_SKELETON_BYTES: wholeNumber(1, 64 * MiB)
    .default(1 * MiB)
    .describe('The same without file contents; this part is held in memory'),
  MAX_FILES: wholeNumber(1, 100_000).default(2_000).describe('Most files in one message'),
  MAX_DEPTH: wholeNumber(10, 1_000).default(64).describe('Deepest nesting of elements; MeMo needs 9, SOAP 3 more'),
  MAX_UPLOADS: wholeNumber(1, 10_000)
    .default(100)
    .describe('Concurrent deliveries; another one must retry later. Each may take some MB of memory'),
  MAX_UPLOAD_SECONDS: wholeNumber(1, 30 * 60)
    .default(30 * 60)
    .describe('A slower delivery must retry: 110 MiB in this time is 0.5 Mbit/s'),
  MIN_UPLOAD_RATE: wholeNumber(0, MiB)
    .default(16 * KiB)
    .describe(
      'Bytes a second, below which a delivery must retry: 0.13 Mbit/s, so 15 at once may share a line of 2 Mbit/s',
    ),
  UPLOAD_RATE_SECONDS: wholeNumber(1, 600)
    .default(30)
    .describe('Over how long the rate is measured, without time in which we were not ready for bytes'),
  UPLOAD_IDLE_SECONDS: wholeNumber(1, 600)
    .default(10)
    .describe('After this long in a row below that rate, a delivery makes room for another when all places are taken'),
  SF1606_CALLERS: z
    .enum(['loopback', 'any'])
    .default('loopback')
    .describe('Who may deliver: this machine only, or any (only behind a proxy that verifies certificates)'),
  SF1606_SOAP: z.enum(['on', 'off']).default('on').describe('on = SOAP as well as REST'),
  QUARANTINE_MAX_BYTES: wholeNumber(0, 2 ** 44)
    .default(4 * GiB)
    .describe('Most bytes in quarantine. Over it, a delivery that cannot be read is only counted'),
  QUARANTINE_MAX_ENTRIES: wholeNumber(0, 10_000).default(1_000).describe('Most entries there; 0 = no quarantine'),
  ...quarantineSettings,
  ...replySettings,
});
export type ReceiverConfig = z.infer<typeof ReceiverConfig>;
