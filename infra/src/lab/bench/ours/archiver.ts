import { ArchiverConfig, startArchiver } from '@indbakke/archiver';
import { readConfig } from '@indbakke/shared/config';
import { reportReady } from '../report-ready.js';

const { url } = await startArchiver(readConfig(ArchiverConfig, process.env));
await reportReady(url);
