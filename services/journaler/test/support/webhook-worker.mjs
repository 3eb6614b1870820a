// A process that dispatches webhooks until it is killed. Arguments: `make` to make deliveries only, `send` to send them too, one
// after the other; after which attempt it kills itself, before that is recorded (0: never); what is allowed.

import { subscribe } from 'node:diagnostics_channel';
import { loadKeyRing } from '@indbakke/shared/keys';
import { openStore } from '@indbakke/shared/store';
import { createDeliverWebhookHandler } from '../../dist/webhooks/deliver-webhook.js';
import { enqueueDeliveries, makeDeliveries } from '../../dist/webhooks/dispatch.js';
import { createTargets } from '../../dist/webhooks/targets.js';

const [does, diesAt, allow] = process.argv.slice(2);
let attempts = 0;
subscribe('indbakke:crash-point', ({ point }) => {
  if (point !== 'webhook-attempted') return;
  attempts += 1;
  if (attempts === Number(diesAt)) process.kill(process.pid, 'SIGKILL');
});
process.on('disconnect', () => process.exit());

const store = openStore({ url: process.env.DATABASE_URL, connections: 2, name: 'webhooks' });
const keys = await loadKeyRing(process.env.KEY_FILE);
const log = { info() {}, warn() {}, error() {}, debug() {} };
const metrics = { attempts: { inc() {} } };
const deliver = createDeliverWebhookHandler(
  { store, keys, log },
  { targets: createTargets([allow]), metrics, more() {} },
);

for (;;) {
  await makeDeliveries({ store });
  if (does === 'make') continue;
  const jobs = [];
  await enqueueDeliveries({ store, queues: { enqueue: (_definition, job) => jobs.push(job) } });
  for (const job of jobs) await deliver(job);
}
