import { ArchiverConfig, startArchiver } from '@indbakke/archiver';
import { readConfig } from '@indbakke/shared/config';
import { tellReady } from '../tell-ready.js';

const { url } = await startArchiver(readConfig(ArchiverConfig, process.env));
await tellReady(url);
