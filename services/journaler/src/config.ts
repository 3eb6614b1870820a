import { commonSettings, wholeNumber } from '@indbakke/shared/config';
import { z } from 'zod';

export const JournalerConfig = z.object({
  ...commonSettings,
  SUGGEST_CONCURRENCY: wholeNumber(1, 256).default(128).describe('Messages looked at side by side'),
});
export type JournalerConfig = z.infer<typeof JournalerConfig>;
