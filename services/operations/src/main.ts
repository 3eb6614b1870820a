import { readConfig } from '@indbakke/shared/config';
import { runUntilSignal } from '@indbakke/shared/service';
import { OperationsConfig, startOperations } from './app.js';

await runUntilSignal('operations', () => startOperations(readConfig(OperationsConfig, process.env)));
