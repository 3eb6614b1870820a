import { OPERATIONS } from '@indbakke/shared/api';
import { type Bind, changeOf } from '@indbakke/shared/http';
import { reject, reopen, sendOn, tellOutcome } from '@indbakke/shared/inbox';
import type { Parts } from '@indbakke/shared/service';

export function bindRejection(bind: Bind, { store }: Parts): void {
  bind(OPERATIONS.rejectIncomingDocument, (call) => reject(store, changeOf(call), call.body));
  bind(OPERATIONS.tellOutcome, (call) => tellOutcome(store, changeOf(call), call.body));
  bind(OPERATIONS.sendOnIncomingDocument, (call) => sendOn(store, changeOf(call), call.body));
  bind(OPERATIONS.reopenIncomingDocument, (call) => reopen(store, changeOf(call)));
}
