import { createApi } from '@indbakke/shared/http';
import { type Parts, type Running, type Service, serve } from '@indbakke/shared/service';
import { bindAccessPackages } from './access-packages/routes.js';
import type { ArchiverConfig } from './config.js';
import { bindDeletion } from './deletion/routes.js';
import { bindHandover } from './handover/routes.js';
import { bindQuarantine } from './quarantine/routes.js';
import { bindRejection } from './rejection/routes.js';
import { observeAuditMonths } from './retention/audit-months.js';
import { bindRetention } from './retention/routes.js';
import { createWork } from './worker.js';
import { bindZip } from './zip/routes.js';
import { bindZipDownloads } from './zip-downloads/routes.js';

/** Zips of one message and of many, rejection and deletion, access packages, the quarantine, and the months of the audit log. */
export function createArchiver(parts: Parts, config: ArchiverConfig): Service {
  observeAuditMonths(parts, config.AUDIT_KEEP_MONTHS);
  const { router, bind } = createApi(parts);
  bindZip(bind, parts);
  bindZipDownloads(bind, parts, config);
  bindRejection(bind, parts);
  bindDeletion(bind, parts);
  bindHandover(bind, parts, config);
  bindAccessPackages(bind, parts);
  bindRetention(bind, parts);
  bindQuarantine(bind, parts);
  return { name: 'archiver', router, ...createWork(parts, config) };
}

/** Runs the archiver as a process of its own. */
export function startArchiver(config: ArchiverConfig): Promise<Running> {
  return serve(config, 'archiver', [(parts) => createArchiver(parts, config)]);
}

export { sweepDuePackages } from './access-packages/sweeps.js';
export { ArchiverConfig } from './config.js';
export { DELETION_LEDGER_SUFFIX, ledgerUrlOf, openLedger, readLedger } from './deletion-ledger/ledger.js';
export { RESULTS, type Result, reapplyDeletions } from './deletion-ledger/reapply.js';
export { endDueOffers } from './handover/sweep.js';
export { dropAuditMonths } from './retention/audit-months.js';
export { removeDueContent } from './retention/content.js';
export { sweepOldQuarantine } from './retention/quarantine.js';
export {
  readTraining,
  requestReset,
  type Training,
  type TrainingPoint,
} from './training/request-reset.js';
