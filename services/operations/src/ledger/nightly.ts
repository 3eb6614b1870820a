import { currentTime } from '@indbakke/shared/clock';
import { MINUTE } from '@indbakke/shared/config';
import type { BlobStore } from '@indbakke/shared/content';
import { isWithin } from '@indbakke/shared/danish-time';
import { type Parts, repeat, type Work } from '@indbakke/shared/service';
import { checkDueDays } from './check-due.js';
import { alone } from './files.js';
import { type LedgerConfig, openLedgerFolder } from './lines.js';
import { makeDueDays } from './make-days.js';

export interface NightlyConfig extends LedgerConfig {
  readonly DATABASE_URL: string;
  readonly LEDGER_WINDOW: string;
  readonly LEDGER_BYTES_PER_SECOND: number;
}

/**
 * Makes the lines of a day when it is over, whenever that is seen, and within the window of each night compares days with what is
 * stored. One process at a time; a shutdown stops it after its step.
 */
export function nightlyLedger(parts: Parts, config: NightlyConfig): Work['sweeps'][number] {
  let isStopping = false;
  let folder: BlobStore | undefined;
  const mayGoOn = () => !isStopping;
  const mayCheck = () => mayGoOn() && isWithin(config.LEDGER_WINDOW, currentTime());
  const run = async () => {
    folder ??= await openLedgerFolder(config);
    const opened = folder;
    await alone(config.DATABASE_URL, false, async () => {
      const made = await makeDueDays(parts, opened, currentTime(), mayGoOn);
      if (made > 0) parts.log.info('ledger-made', { days: made });
      const checked = await checkDueDays(parts, opened, config.LEDGER_BYTES_PER_SECOND, mayCheck);
      if (checked > 0) parts.log.info('ledger-checked', { days: checked });
    });
  };
  const sweep = repeat('ledger', 10 * MINUTE, parts.log, run, MINUTE);
  return {
    start: () => sweep.start(),
    stop() {
      isStopping = true;
      return sweep.stop();
    },
  };
}
