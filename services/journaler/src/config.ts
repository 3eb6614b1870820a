import { commonSettings, wholeNumber } from '@indbakke/shared/config';
import { z } from 'zod';

export const JournalerConfig = z.object({
  ...commonSettings,
  SUGGEST_CONCURRENCY: wholeNumber(1, 256).default(128).describe('Concurrent suggestion jobs'),
});
export type JournalerConfig = z.infer<typeof JournalerConfig>;
