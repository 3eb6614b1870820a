// A process that numbers changes until it is killed. Arguments: the batch, and at which batch it kills itself between the
// statements and COMMIT (0: never).

import { subscribe } from 'node:diagnostics_channel';
import { loadKeyRing } from '@indbakke/shared/keys';
import { openStore } from '@indbakke/shared/store';
import { numberChanges } from '../../dist/feed/number-changes.js';

const [batch, diesAt] = process.argv.slice(2).map(Number);
let batches = 0;
subscribe('indbakke:crash-point', ({ point }) => {
  if (point !== 'positions-written') return;
  batches += 1;
  if (batches === diesAt) process.kill(process.pid, 'SIGKILL');
});
process.on('disconnect', () => process.exit());

const store = openStore({ url: process.env.DATABASE_URL, connections: 1, name: 'numberer' });
const keys = await loadKeyRing(process.env.KEY_FILE);
for (;;) await numberChanges({ store, keys }, batch);
