import { ReceiverConfig, startReceiver } from '@indbakke/receiver';
import { readConfig } from '@indbakke/shared/config';
import { tellReady } from '../tell-ready.js';

const { url } = await startReceiver(readConfig(ReceiverConfig, process.env));
await tellReady(url);
