// A process that scans one message, and kills itself at a crash point. Arguments: the id of the scan; the municipality; the run; the
// point.

import { subscribe } from 'node:diagnostics_channel';
import { readClamdUrl, readConfig } from '@indbakke/shared/config';
import { openParts } from '@indbakke/shared/service';
import { JournalerConfig } from '../../dist/config.js';
import { createScanMessageHandler } from '../../dist/scan/scan-message.js';

const [scanId, municipality, run, point] = process.argv.slice(2);
subscribe('indbakke:crash-point', (passed) => {
  if (passed.point === point) process.kill(process.pid, 'SIGKILL');
});

const config = readConfig(JournalerConfig, process.env);
const parts = await openParts(config, 'scanner');
const handle = createScanMessageHandler({ ...parts, clamd: readClamdUrl(config.CLAMD_URL) });
await handle({ scanId, municipality, run: Number(run) }, { signal: new AbortController().signal });
process.exit(); // it passed no such point
