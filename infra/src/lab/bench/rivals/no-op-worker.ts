// BullMQ’s limit: the same queue, backend and concurrency with a handler that does nothing. Reports how long `JOBS` jobs took,
// from the first to the last.

import { createLog } from '@indbakke/shared/log';
import { openQueues } from '@indbakke/shared/queue';
import { NO_OP } from '../no-op.js';
import { reportReady } from '../report-ready.js';

const jobs = Number(process.env.JOBS);
const queues = openQueues({ url: process.env.QUEUE_URL ?? '', log: createLog('bench', 'silent') });
let done = 0;
let first = 0;
queues.work(NO_OP, Number(process.env.SUGGEST_CONCURRENCY), async () => {
  first ||= performance.now();
  done += 1;
  if (done === jobs) process.send?.({ milliseconds: performance.now() - first });
});
await reportReady('');
