import { ArchiverConfig, createArchiver } from '@indbakke/archiver';
import { createJournaler, JournalerConfig, type LocalSignIn } from '@indbakke/journaler';
import { createOperations, OperationsConfig } from '@indbakke/operations';
import { createReceiver, ReceiverConfig } from '@indbakke/receiver';
import type { CreateService } from '@indbakke/shared/service';
import type { OneTimeSecret } from '@indbakke/shared/sign-in';
import { z } from 'zod';

/** The settings of all services in one process. */
export const StackConfig = z.object({
  ...ReceiverConfig.shape,
  ...JournalerConfig.shape,
  ...ArchiverConfig.shape,
  ...OperationsConfig.shape,
});
export type StackConfig = z.infer<typeof StackConfig>;

/** What signs the reader of a local stack in, once each. */
export interface LocalLinks {
  readonly operations?: OneTimeSecret;
  readonly inbox?: LocalSignIn;
}

/** All services, for `serve`. */
export const allServices = (config: StackConfig, links: LocalLinks = {}): CreateService[] => [
  (parts) => createReceiver(parts, config),
  (parts) => createJournaler(parts, config, links.inbox),
  (parts) => createArchiver(parts, config),
  createOperations(config, links.operations),
];
