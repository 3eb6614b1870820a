import { readConfig } from '@indbakke/shared/config';
import { runUntilSignal } from '@indbakke/shared/service';
import { ArchiverConfig, startArchiver } from './app.js';

await runUntilSignal(() => startArchiver(readConfig(ArchiverConfig, process.env)));
