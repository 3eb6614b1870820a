import { commonSettings } from '@indbakke/shared/config';
import { z } from 'zod';

export const ArchiverConfig = z.object(commonSettings);
export type ArchiverConfig = z.infer<typeof ArchiverConfig>;
