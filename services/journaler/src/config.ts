import { commonSettings, wholeNumber } from '@indbakke/shared/config';
import { z } from 'zod';

export const JournalerConfig = z.object({
  ...commonSettings,
  SUGGEST_CONCURRENCY: wholeNumber(1, 64).default(8).describe('Messages looked at side by side'),
});
export type JournalerConfig = z.infer<typeof JournalerConfig>;
