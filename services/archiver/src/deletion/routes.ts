import { OPERATIONS } from '@indbakke/shared/api';
import { type Bind, changeOf } from '@indbakke/shared/http';
import type { Parts } from '@indbakke/shared/service';
import { deleteForGood } from './delete-for-good.js';

export function bindDeletion(bind: Bind, parts: Parts): void {
  bind(OPERATIONS.deleteIncomingDocument, (call) => deleteForGood(parts, changeOf(call)));
}
