import { commonSettings, quarantineSettings, wholeNumber } from '@indbakke/shared/config';
import { z } from 'zod';

export const OperationsConfig = z.object({
  ...commonSettings,
  ...quarantineSettings,
  DATABASE_MAX_BYTES: wholeNumber(1, 2 ** 50)
    .optional()
    .describe('What the database may grow to: by it is reckoned when it is full'),
  WATCH_CERTIFICATES: z
    .string()
    .transform((list) => list.split(',').map((each) => each.trim()))
    .optional()
    .describe('Files with certificates (PEM) whose last day is watched, with commas between them'),
});
export type OperationsConfig = z.infer<typeof OperationsConfig>;
