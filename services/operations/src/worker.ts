import type { Parts, Work } from '@indbakke/shared/service';
import type { OperationsConfig } from './config.js';
import { nightlyLedger } from './ledger/nightly.js';

/** What is measured once for the installation. */
export function createWork(parts: Parts, config: OperationsConfig): Work {
  return { jobs: [], sweeps: [nightlyLedger(parts, config)] };
}
