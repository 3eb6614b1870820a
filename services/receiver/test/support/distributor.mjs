// A process that sends one message on, and kills itself at a crash point. Arguments: the id of the distribution; the municipality; the
// run; the point.

import { subscribe } from 'node:diagnostics_channel';
import { readConfig } from '@indbakke/shared/config';
import { openParts } from '@indbakke/shared/service';
import { ReceiverConfig } from '../../dist/config.js';
import { createDistributeHandler } from '../../dist/sf2900/sending/distribute-message.js';
import { sendingSettings } from '../../dist/sf2900/sending/settings.js';
import { openDistributionClient } from '../../dist/sf2900/service/client.js';
import { sftpSettings } from '../../dist/sf2900/sftp/settings.js';

const [distributionId, municipality, run, point] = process.argv.slice(2);
subscribe('indbakke:crash-point', (passed) => {
  if (passed.point === point) process.kill(process.pid, 'SIGKILL');
});

const config = readConfig(ReceiverConfig, process.env);
const parts = await openParts(config, 'distributor');
const sending = sendingSettings(config, await sftpSettings(config), await openDistributionClient(config));
const signal = new AbortController().signal;
await createDistributeHandler({ ...parts, ...sending })({ distributionId, municipality, run: Number(run) }, { signal });
process.exit(); // it passed no such point
