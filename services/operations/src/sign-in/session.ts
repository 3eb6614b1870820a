import { type Caller, type Principal, parseRole, Revocable } from '@indbakke/shared/access';
import { INSTALLATION } from '@indbakke/shared/audit';
import { HOUR, SECOND } from '@indbakke/shared/config';
import { addressOf } from '@indbakke/shared/http';
import type { KeyRing } from '@indbakke/shared/keys';
import { SealedCookie } from '@indbakke/shared/sign-in';
import type { Request } from 'express';
import { z } from 'zod';

const SESSION_SECONDS = (8 * HOUR) / SECOND; // a working day

const Session = z.object({
  kind: z.enum(['user', 'system']),
  id: z.string(),
  onBehalfOf: z.string().optional(),
  roles: z.array(z.string()),
  revocable: Revocable.optional(),
});
export type Session = z.infer<typeof Session>;

/** The cookie that says who signed in. */
export const sessionCookie = (keys: KeyRing) =>
  new SealedCookie<Session>(keys, {
    name: 'indbakke-operations',
    value: Session as z.ZodType<Session>,
    path: '/ops',
    seconds: SESSION_SECONDS,
    sameSite: 'strict',
  });

export const sessionOf = ({ actor, roles, revocable }: Caller): Session => ({
  kind: actor.kind,
  id: actor.id,
  ...(actor.onBehalfOf !== undefined && { onBehalfOf: actor.onBehalfOf }),
  roles: [...roles],
  revocable,
});

/** The operator of a session, who acts from where the call comes. */
export function operatorOfSession({ kind, id, onBehalfOf, roles, revocable }: Session, req: Request): Principal {
  return {
    municipality: INSTALLATION,
    actor: { kind, id, onBehalfOf },
    roles: new Set(roles.map(parseRole).filter((role) => role !== undefined)),
    teams: [],
    revocable,
    role: 'Indbakke.Drift',
    origin: addressOf(req),
  };
}
