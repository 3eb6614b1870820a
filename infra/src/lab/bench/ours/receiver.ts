import { ReceiverConfig, startReceiver } from '@indbakke/receiver';
import { readConfig } from '@indbakke/shared/config';
import { reportReady } from '../report-ready.js';

const { url } = await startReceiver(readConfig(ReceiverConfig, process.env));
await reportReady(url);
