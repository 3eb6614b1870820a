// A process with the built operations service that makes the lines of the ledger, or checks its days, and kills itself at a crash
// point.
//   node killed.mjs make|check POINT NOW

import { subscribe } from 'node:diagnostics_channel';
import { readConfig } from '@indbakke/shared/config';
import { CRASH_POINT_CHANNEL } from '@indbakke/shared/crash-points';
import { openParts } from '@indbakke/shared/service';
import { alone, checkDueDays, makeDueDays, OperationsConfig, openLedgerFolder } from '../../dist/app.js';

const [what, point, now] = process.argv.slice(2);
subscribe(CRASH_POINT_CHANNEL, (message) => {
  if (message.point === point) process.kill(process.pid, 'SIGKILL');
});
const config = readConfig(OperationsConfig, process.env);
const parts = await openParts(config, 'killed');
const folder = await openLedgerFolder(config);
await alone(config.DATABASE_URL, true, () =>
  what === 'make' ? makeDueDays(parts, folder, new Date(now)) : checkDueDays(parts, folder, 2 ** 30),
);
process.exit(0);
