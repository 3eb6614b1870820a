import { OPERATIONS } from '@indbakke/shared/api';
import { type Bind, changeOf } from '@indbakke/shared/http';
import { reject, reopen, sendOn, tellOutcome } from '@indbakke/shared/inbox';
import type { Parts } from '@indbakke/shared/service';

export function bindRejection(bind: Bind, parts: Parts): void {
  const { store } = parts;
  bind(OPERATIONS.rejectIncomingDocument, (call) => reject(store, changeOf(call), call.body));
  bind(OPERATIONS.tellOutcome, (call) => tellOutcome(store, changeOf(call), call.body));
  bind(OPERATIONS.sendOnIncomingDocument, (call) => sendOn(parts, changeOf(call), call.body));
  bind(OPERATIONS.reopenIncomingDocument, (call) => reopen(store, changeOf(call)));
}
