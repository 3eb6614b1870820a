// The background work of a journaler without its jobs: above all numbering.

import { createJournaler, JournalerConfig } from '@indbakke/journaler';
import { readConfig } from '@indbakke/shared/config';
import { openParts } from '@indbakke/shared/service';
import { reportReady } from '../report-ready.js';

const config = readConfig(JournalerConfig, { ...process.env, LOG_LEVEL: 'silent' });
const { sweeps } = createJournaler(await openParts(config, 'numberer'), config);
for (const sweep of sweeps) sweep.start();
await reportReady('');
