// A process that makes one zip of many messages. Arguments: the data of the job as JSON; the crash point at which it kills itself.

import { subscribe } from 'node:diagnostics_channel';
import { CommonConfig, readConfig } from '@indbakke/shared/config';
import { openParts } from '@indbakke/shared/service';
import { createMakeZipHandler } from '../../dist/zip-downloads/make-zip.js';

const [data, diesAt] = process.argv.slice(2);
subscribe('indbakke:crash-point', ({ point }) => {
  if (point === diesAt) process.kill(process.pid, 'SIGKILL');
});
const parts = await openParts(readConfig(CommonConfig, process.env), 'zip-worker');
const make = createMakeZipHandler(parts, { SMALL_CONTENT_BYTES: 0, ZIP_KEEP_HOURS: 24 });
await make(JSON.parse(data), { attempt: 1, signal: new AbortController().signal });
process.exit(0);
