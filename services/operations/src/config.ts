import { commonSettings } from '@indbakke/shared/config';
import { z } from 'zod';

export const OperationsConfig = z.object({
  ...commonSettings,
});
export type OperationsConfig = z.infer<typeof OperationsConfig>;
