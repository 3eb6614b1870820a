import { JournalerConfig, startJournaler } from '@indbakke/journaler';
import { readConfig } from '@indbakke/shared/config';
import { reportReady } from '../report-ready.js';

const { url } = await startJournaler(readConfig(JournalerConfig, process.env));
await reportReady(url);
