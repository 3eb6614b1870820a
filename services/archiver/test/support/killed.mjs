// A process with the built archiver that scrubs or writes the deletion ledger, and kills itself at a crash point.
//   node killed.mjs scrub|ledger POINT

import { subscribe } from 'node:diagnostics_channel';
import { readConfig } from '@indbakke/shared/config';
import { CRASH_POINT_CHANNEL } from '@indbakke/shared/crash-points';
import { scrub } from '@indbakke/shared/scrub';
import { openParts } from '@indbakke/shared/service';
import { withMaintenance } from '@indbakke/shared/store';
import { ArchiverConfig } from '../../dist/app.js';
import { ledgerWriter } from '../../dist/deletion-ledger/write-ledger.js';

const [what, point] = process.argv.slice(2);
subscribe(CRASH_POINT_CHANNEL, (message) => {
  if (message.point === point) process.kill(process.pid, 'SIGKILL');
});
const config = readConfig(ArchiverConfig, process.env);
if (what === 'scrub') {
  await withMaintenance({ url: config.DATABASE_URL, name: 'killed' }, (connection) =>
    scrub(connection, { mayGoOn: () => true }),
  );
} else await ledgerWriter(await openParts(config, 'killed'), config)();
process.exit(0);
