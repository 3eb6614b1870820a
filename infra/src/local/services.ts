import { ArchiverConfig, createArchiver } from '@indbakke/archiver';
import { createJournaler, JournalerConfig } from '@indbakke/journaler';
import { createOperations, OperationsConfig } from '@indbakke/operations';
import { createReceiver, ReceiverConfig } from '@indbakke/receiver';
import type { Parts, Service } from '@indbakke/shared/service';
import { z } from 'zod';

/** The settings of all services in one process. */
export const StackConfig = z.object({
  ...ReceiverConfig.shape,
  ...JournalerConfig.shape,
  ...ArchiverConfig.shape,
  ...OperationsConfig.shape,
});
export type StackConfig = z.infer<typeof StackConfig>;

/** All services, for `serve`. */
export const allServices = (config: StackConfig): ((parts: Parts) => Service)[] => [
  (parts) => createReceiver(parts, config),
  (parts) => createJournaler(parts, config),
  (parts) => createArchiver(parts, config),
  (parts) => createOperations(parts, config),
];
