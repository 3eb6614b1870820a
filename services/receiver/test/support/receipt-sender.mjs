// A process that sends the business receipts that are due, and kills itself at a crash point. Arguments: the address of the service;
// the point.

import { subscribe } from 'node:diagnostics_channel';
import { openStore } from '@indbakke/shared/store';
import { createSendReceiptHandler } from '../../dist/sf2900/receipts/send-receipt.js';
import { sweepDueReceipts } from '../../dist/sf2900/receipts/sweep.js';
import { openDistributionClient } from '../../dist/sf2900/service/client.js';

const [url, point] = process.argv.slice(2);
subscribe('indbakke:crash-point', (passed) => {
  if (passed.point === point) process.kill(process.pid, 'SIGKILL');
});

const store = openStore({ url: process.env.DATABASE_URL, connections: 2, name: 'receipts' });
const log = { info() {}, warn() {}, error() {}, debug() {} };
const client = await openDistributionClient({ SF2900_SERVICE_URL: url, SF2900_SERVICE_SECONDS: 10 });
const send = createSendReceiptHandler({ store, log, client });
const jobs = [];
const queues = { add: async (_definition, job) => jobs.push(job) > 0 };
await sweepDueReceipts({ store, queues }, { SF2900_RECEIPT_DELAY_SECONDS: 0 }, new Date());
for (const job of jobs) await send(job);
process.exit(); // it passed no such point
