import { OPERATIONS } from '@indbakke/shared/api';
import type { Bind } from '@indbakke/shared/http';
import { acceptEntry, listEntries, refuseEntry, removeEntry } from '@indbakke/shared/quarantine';
import type { Parts } from '@indbakke/shared/service';
import { sendEntry } from './send-entry.js';

/** The quarantine, for those who run the installation. */
export function bindQuarantine(bind: Bind, parts: Parts): void {
  bind(OPERATIONS.listQuarantine, (call) => listEntries(parts, call, call.query));
  bind(OPERATIONS.downloadQuarantined, (call) => sendEntry(parts, call));
  bind(OPERATIONS.acceptQuarantined, (call) => acceptEntry(parts, call, call.params.entryId));
  bind(OPERATIONS.refuseQuarantined, (call) => refuseEntry(parts, call, call.params.entryId));
  bind(OPERATIONS.removeQuarantined, (call) => removeEntry(parts, call, call.params.entryId));
}
