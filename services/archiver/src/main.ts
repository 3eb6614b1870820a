import { readConfig } from '@indbakke/shared/config';
import { runUntilSignal } from '@indbakke/shared/service';
import { ArchiverConfig, startArchiver } from './app.js';

await runUntilSignal('archiver', () => startArchiver(readConfig(ArchiverConfig, process.env)));
