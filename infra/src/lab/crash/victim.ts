// The process that is killed, with all services. It gets its orders over IPC, so that it can load its modules while
// another victim runs.

import { setTimeout as pause } from 'node:timers/promises';
import { createArchiver, dropAuditMonths, sweepDuePackages } from '@indbakke/archiver';
import { createJournaler, sweepDueExtracts } from '@indbakke/journaler';
import { createReceiver, sweepOrphans } from '@indbakke/receiver';
import { DAY, readConfig } from '@indbakke/shared/config';
import { type Parts, serve } from '@indbakke/shared/service';
import { openStore } from '@indbakke/shared/store';
import { StackConfig } from '../../local/services.js';
import { FAULTS, type Fault, withFault } from './faults.js';
import { type FeedFault, withFeedFault } from './feed/faults.js';
import type { Point } from './kills.js';
import { type Order, type Report, VICTIM } from './victims.js';
import { Watch } from './watch.js';

// Content without a row is kept for a month.
const ORPHAN_AGE_MS = 31 * DAY;

const KEEP_MONTHS = 13;

const SLOW = 0.05;
const MAX_SLOW_MS = 2_000;

const report = (message: Report) => process.send?.(message);
const die = () => process.kill(process.pid, 'SIGKILL');

let armed: { point: Point; count: number } | undefined;
const watch = new Watch((point) => {
  if (armed?.point !== point) return;
  armed.count -= 1;
  if (armed.count === 0) die();
});
let realParts: Parts | undefined;

process.on('disconnect', die); // the harness is gone
process.on('message', (order: Order) => {
  obey(order).catch((error: Error) => report({ is: 'failed', reason: error.stack ?? error.message }));
});
report({ is: 'warm' });

async function obey(order: Order): Promise<void> {
  if (order.do === 'arm') {
    armed = { point: order.point, count: order.count };
    return;
  }
  if (order.do === 'sweep-orphans') {
    if (!realParts) throw new Error('The services have not started.');
    await sweepOrphans(realParts, new Date(Date.now() + ORPHAN_AGE_MS));
    report({ is: 'swept' });
    return;
  }
  if (order.do === 'sweep-due') {
    if (!realParts) throw new Error('The services have not started.');
    await sweepDueExtracts(realParts, new Date());
    return sweepDuePackages(realParts, new Date());
  }
  if (order.do === 'drop-audit-months') {
    if (!realParts) throw new Error('The services have not started.');
    await dropAuditMonths(realParts, KEEP_MONTHS);
    report({ is: 'swept' });
    return;
  }
  const { env, fault, timeoutMs, areSomeSlow } = order;
  const config = readConfig(StackConfig, env);
  const { DATABASE_URL: url, DATABASE_CONNECTIONS: connections } = config;
  const impatient = timeoutMs === undefined ? {} : { store: openStore({ url, connections, name: VICTIM, timeoutMs }) };
  const watched = (parts: Parts, service?: 'receiver') => {
    realParts = { ...parts, ...impatient };
    const paced = areSomeSlow ? withSlowCommits(realParts) : realParts;
    if (!fault) return watch.parts(paced);
    return watch.parts(isFeedFault(fault) ? withFeedFault(paced, fault) : withFault(paced, fault, service));
  };
  const running = await serve(config, VICTIM, [
    async (parts) => watch.service(await createReceiver(watched(parts, 'receiver'), config)),
    (parts) => watch.service(createJournaler(watched(parts), config)),
    (parts) => watch.service(createArchiver(watched(parts), config)),
  ]);
  report({ is: 'ready', url: running.url });
}

const isFeedFault = (fault: Fault | FeedFault): fault is FeedFault => !Object.hasOwn(FAULTS, fault);

function withSlowCommits(parts: Parts): Parts {
  const { store } = parts;
  const withTenantConnection: typeof store.withTenantConnection = (municipality, work) =>
    store.withTenantConnection(municipality, async (connection) => {
      const done = await work(connection);
      if (Math.random() < SLOW) await pause(Math.random() * MAX_SLOW_MS);
      return done;
    });
  return { ...parts, store: { ...store, withTenantConnection } };
}
