import { asSystem } from '@indbakke/shared/access';
import { INDBAKKE } from '@indbakke/shared/audit';
import { currentTime } from '@indbakke/shared/clock';
import type { ChangeRequest } from '@indbakke/shared/lifecycle';

/** A change of a message by Indbakke itself, at any version of it. */
export function ownChange({ municipality, messageId }: { municipality: string; messageId: string }): ChangeRequest {
  return { principal: asSystem(municipality, INDBAKKE), id: messageId, expectedVersion: undefined, at: currentTime() };
}
