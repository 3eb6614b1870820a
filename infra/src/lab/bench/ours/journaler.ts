import { JournalerConfig, startJournaler } from '@indbakke/journaler';
import { readConfig } from '@indbakke/shared/config';
import { tellReady } from '../tell-ready.js';

const { url } = await startJournaler(readConfig(JournalerConfig, process.env));
await tellReady(url);
