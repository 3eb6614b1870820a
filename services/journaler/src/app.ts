import { createApi } from '@indbakke/shared/http';
import { type Parts, type Running, type Service, serve } from '@indbakke/shared/service';
import { bindAbsences } from './absences/routes.js';
import { bindAudit } from './audit/routes.js';
import type { JournalerConfig } from './config.js';
import { bindCore } from './core/routes.js';
import { bindExport } from './export/routes.js';
import { bindExtracts } from './extracts/routes.js';
import { openFeed } from './feed/open-feed.js';
import { bindFeed } from './feed/routes.js';
import { bindFigures } from './figures/routes.js';
import { bindInbox } from './inbox/routes.js';
import type { LocalSignIn } from './inbox-page/local.js';
import { inboxPage } from './inbox-page/routes.js';
import { bindReplies } from './replies/routes.js';
import { createScanWork } from './scan/work.js';
import { observeHeldMessages } from './set-up/metrics.js';
import { bindSetUp } from './set-up/routes.js';
import { openWebhooks } from './webhooks/open-webhooks.js';
import { bindWebhooks } from './webhooks/routes.js';
import { createWork } from './worker.js';

/**
 * The inbox, its exports and figures, the change feed and webhooks, and the suggestion of a case for each reply.
 *
 * @param local of a local stack: who runs it may be anybody on the inbox page
 */
export function createJournaler(parts: Parts, config: JournalerConfig, local?: LocalSignIn): Service {
  const { router, bind } = createApi(parts);
  bindInbox(bind, parts, config);
  bindExport(bind, parts);
  bindExtracts(bind, parts);
  bindFigures(bind, parts);
  bindAudit(bind, parts);
  bindCore(bind, parts);
  bindReplies(bind, parts, config.OWN_SYSTEM_ID);
  bindAbsences(bind, parts);
  const work = createWork(parts, config);
  const scans = createScanWork(parts, config);
  bindSetUp(bind, parts, work.wakeRelease);
  observeHeldMessages(parts);
  const webhooks = openWebhooks(parts, config);
  bindWebhooks(bind, parts, webhooks);
  const { feed, sweeps } = openFeed(parts, config, webhooks.hear);
  bindFeed(bind, parts, feed);
  if (parts.inboxSessions) router.use(inboxPage(parts, config, parts.inboxSessions, local));
  return {
    name: 'journaler',
    router,
    jobs: [...work.jobs, ...scans.jobs, ...webhooks.jobs],
    sweeps: [...work.sweeps, ...scans.sweeps, ...sweeps, ...webhooks.sweeps],
    endWaiting: () => feed.endWaiting(),
  };
}

/** Runs the journaler as a process of its own. */
export function startJournaler(config: JournalerConfig): Promise<Running> {
  return serve(config, 'journaler', [(parts) => createJournaler(parts, config)]);
}

export { JournalerConfig } from './config.js';
export { sweepDueExtracts } from './extracts/sweeps.js';
export type { LocalSignIn } from './inbox-page/local.js';
export { type AppliedFile, applyMunicipality, exportMunicipality } from './set-up/apply.js';
