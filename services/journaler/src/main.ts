import { readConfig } from '@indbakke/shared/config';
import { runUntilSignal } from '@indbakke/shared/service';
import { JournalerConfig, startJournaler } from './app.js';

await runUntilSignal('journaler', () => startJournaler(readConfig(JournalerConfig, process.env)));
