import type { ChangeAnswer } from '@indbakke/shared/api';
import { changeMessage } from '@indbakke/shared/inbox';
import type { ChangeRequest } from '@indbakke/shared/lifecycle';
import type { Store } from '@indbakke/shared/store';

/** Releases a held message into the inbox. */
export function release(store: Store, request: ChangeRequest): Promise<ChangeAnswer> {
  return changeMessage(store, request, 'released');
}
