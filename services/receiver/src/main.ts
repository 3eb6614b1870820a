import { readConfig } from '@indbakke/shared/config';
import { runUntilSignal } from '@indbakke/shared/service';
import { ReceiverConfig, startReceiver } from './app.js';

await runUntilSignal('receiver', () => startReceiver(readConfig(ReceiverConfig, process.env)));
