import { commonSettings, sealingSettings, wholeNumber } from '@indbakke/shared/config';
import { z } from 'zod';

export const JournalerConfig = z.object({
  ...commonSettings,
  ...sealingSettings,
  JOURNALIZE_UNKNOWN_CASES: z
    .enum(['refuse', 'allow'])
    .default('refuse')
    .describe('Whether a message may be journalized on a case that the core has not registered'),
  SUGGEST_CONCURRENCY: wholeNumber(1, 256).default(128).describe('Concurrent suggestion jobs'),
});
export type JournalerConfig = z.infer<typeof JournalerConfig>;
