import { OPERATIONS } from '@indbakke/shared/api';
import { type Bind, changeOf } from '@indbakke/shared/http';
import { cancelDeletion, confirmDeletion, deleteMessage, liftLegalHold, setLegalHold } from '@indbakke/shared/inbox';
import type { Parts } from '@indbakke/shared/service';

export function bindDeletion(bind: Bind, parts: Parts): void {
  const { store } = parts;
  bind(OPERATIONS.deleteIncomingDocument, (call) => deleteMessage(parts, changeOf(call), call.body));
  bind(OPERATIONS.confirmDeletion, (call) => confirmDeletion(parts, changeOf(call)));
  bind(OPERATIONS.cancelDeletion, (call) => cancelDeletion(parts, changeOf(call)));
  bind(OPERATIONS.setLegalHold, (call) => setLegalHold(store, changeOf(call), call.body));
  bind(OPERATIONS.liftLegalHold, (call) => liftLegalHold(store, changeOf(call), call.body));
}
