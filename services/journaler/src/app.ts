import { createApi } from '@indbakke/shared/http';
import { type Parts, type Running, type Service, serve } from '@indbakke/shared/service';
import type { JournalerConfig } from './config.js';
import { bindCore } from './core/routes.js';
import { bindExport } from './export/routes.js';
import { bindExtracts } from './extracts/routes.js';
import { bindFigures } from './figures/routes.js';
import { bindInbox } from './inbox/routes.js';
import { createWork } from './worker.js';

/** The inbox, its exports and figures, and the suggestion of a case for each reply. */
export function createJournaler(parts: Parts, config: JournalerConfig): Service {
  const { router, bind } = createApi(parts);
  bindInbox(bind, parts, config);
  bindExport(bind, parts);
  bindExtracts(bind, parts);
  bindFigures(bind, parts);
  bindCore(bind, parts);
  return { name: 'journaler', router, ...createWork(parts, config) };
}

/** Runs the journaler as a process of its own. */
export function startJournaler(config: JournalerConfig): Promise<Running> {
  return serve(config, 'journaler', [(parts) => createJournaler(parts, config)]);
}

export { JournalerConfig } from './config.js';
export { sweepDueExtracts } from './extracts/sweeps.js';
