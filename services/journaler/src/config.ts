import { commonSettings, sealingSettings, wholeNumber } from '@indbakke/shared/config';
import { z } from 'zod';

export const JournalerConfig = z.object({
  ...commonSettings,
  EVENTS_KEEP_DAYS: wholeNumber(1, 3_650).default(30).describe('Days that events stay in the change feed'),
  ...sealingSettings,
  JOURNALIZE_UNKNOWN_CASES: z
    .enum(['refuse', 'allow'])
    .default('refuse')
    .describe('Whether a message may be journalized on a case that the core has not registered'),
  SUGGEST_CONCURRENCY: wholeNumber(1, 256).default(128).describe('Concurrent suggestion jobs'),
});
export type JournalerConfig = z.infer<typeof JournalerConfig>;
