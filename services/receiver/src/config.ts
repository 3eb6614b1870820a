import { commonSettings, KiB, MiB, wholeNumber } from '@indbakke/shared/config';
import { z } from 'zod';

export const ReceiverConfig = z.object({
  ...commonSettings,
  MAX_MESSAGE_BYTES: wholeNumber(1, 2 ** 40)
    .default(110 * MiB)
    .describe('A message over this is refused. Digital Post’s own limit is 99.5 MB; whether MB or MiB is not known'),
  MAX_SKELETON_BYTES: wholeNumber(1, 64 * MiB)
    .default(1 * MiB)
    .describe('The same for the message without the contents of its files, which is held in memory'),
  MAX_FILES: wholeNumber(1, 100_000).default(2_000).describe('Files in one message at most'),
  MAX_DEPTH: wholeNumber(10, 1_000)
    .default(64)
    .describe('Elements inside each other at most; MeMo needs 9, SOAP 3 more'),
  SMALL_CONTENT_BYTES: wholeNumber(0, 256 * KiB)
    .default(64 * KiB)
    .describe(
      'Sealed content up to this stands in the database with the rows, one sync instead of three; 0 = none does',
    ),
  MAX_UPLOADS: wholeNumber(1, 10_000)
    .default(100)
    .describe('Messages taken in at once; one more is to be sent again later. Each may take some MB of memory'),
  MAX_UPLOAD_SECONDS: wholeNumber(1, 30 * 60)
    .default(30 * 60)
    .describe('A message that takes longer to arrive is to be sent again: 110 MiB in this time is 0.5 Mbit/s'),
  SF1606_CALLERS: z
    .enum(['loopback', 'any'])
    .default('loopback')
    .describe('Who may deliver: this machine only, or any (only behind a proxy that verifies certificates)'),
  SF1606_SOAP: z.enum(['on', 'off']).default('on').describe('on = the operation over SOAP too'),
  OWN_SYSTEM_ID: z
    .string()
    .min(1)
    .default('DUBU')
    .describe('generatingSystemID of what the core sends: text ids in replies count only when they are of this system'),
});
export type ReceiverConfig = z.infer<typeof ReceiverConfig>;
