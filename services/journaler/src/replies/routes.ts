import { OPERATIONS } from '@indbakke/shared/api';
import type { Bind } from '@indbakke/shared/http';
import type { CoreParts } from '../core/register.js';
import { setUpReply } from './set-up-reply.js';

/** Letters that are about to be sent, so that they can be answered. @param ownSystemId generatingSystemID of the core */
export function bindReplies(bind: Bind, parts: CoreParts, ownSystemId: string): void {
  bind(OPERATIONS.setUpReply, (call) => setUpReply(parts, ownSystemId, call));
}
