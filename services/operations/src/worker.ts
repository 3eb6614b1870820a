import { HOUR, MINUTE } from '@indbakke/shared/config';
import { type Parts, repeat, type Work } from '@indbakke/shared/service';
import type { OperationsConfig } from './config.js';
import { nightlyLedger } from './ledger/nightly.js';
import { sweepGoneCopies } from './sections/copies.js';
import { noteMasterKeys } from './sections/keys.js';
import { sweepOldMinutes } from './sections/mail.js';
import { sweepOldRefusals } from './sections/refusals.js';
import { noteSizes, sweepOldSizes } from './sections/room.js';

/** Notes what is measured once for the installation, and removes what is not kept any longer. */
export function createWork(parts: Parts, config: OperationsConfig): Work {
  const { log } = parts;
  return {
    jobs: [],
    sweeps: [
      nightlyLedger(parts, config),
      repeat('note-sizes', HOUR, log, () => noteSizes(parts), 0),
      repeat('note-master-keys', HOUR, log, () => noteMasterKeys(parts), 0),
      repeat('sweep-gone-copies', MINUTE, log, () => sweepGoneCopies(parts)),
      repeat('sweep-old-minutes', HOUR, log, () => sweepOldMinutes(parts)),
      repeat('sweep-old-refusals', HOUR, log, () => sweepOldRefusals(parts)),
      repeat('sweep-old-sizes', HOUR, log, () => sweepOldSizes(parts)),
    ],
  };
}
