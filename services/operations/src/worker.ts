import type { Parts, Work } from '@indbakke/shared/service';
import type { OperationsConfig } from './config.js';

/** What is measured once for the installation. */
export function createWork(_parts: Parts, _config: OperationsConfig): Work {
  return { jobs: [], sweeps: [] };
}
