import { OPERATORS_ONLY, type Principal, requireUnrevoked } from '@indbakke/shared/access';
import { INSTALLATION } from '@indbakke/shared/audit';
import { Problem } from '@indbakke/shared/errors';
import {
  addressOf,
  auditRefusal,
  countFailedSignIn,
  publicPrefixOf,
  readCredentials,
  toProblem,
  verifyOperator,
} from '@indbakke/shared/http';
import type { Parts } from '@indbakke/shared/service';
import { isSameOrigin } from '@indbakke/shared/sign-in';
import type { Request, RequestHandler, Response } from 'express';
import { operatorOfSession, sessionCookie } from './session.js';

/**
 * Lets operators in: with the cookie of who signed in, or, for programs, a bearer token. A browser that has neither is sent to sign
 * in. What changes something must come from a page of ours.
 */
export function requireOperator(parts: Parts): RequestHandler {
  const cookie = sessionCookie(parts.keys);
  return async (req, res, next) => {
    res.set('Cache-Control', 'no-store');
    // Whoever sends an Authorization, even an unreadable one, does not mean the session.
    const hasAuthorization = req.headers.authorization !== undefined;
    const session = hasAuthorization ? undefined : cookie.read(req);
    if (!session && !hasAuthorization && isNavigation(req)) {
      const to = encodeURIComponent(req.originalUrl);
      return res.redirect(303, `${publicPrefixOf(req)}/ops/sign-in?to=${to}`);
    }
    if (session && !isReading(req) && !isSameOrigin(req)) {
      throw new Problem('bad-request', 'The call does not come from a page of ours. Open the page anew.');
    }
    const operator = session ? operatorOfSession(session, req) : await verifyBearer(parts, req);
    parts.requestLimits.count(operator);
    await requireUnended(parts, operator, req);
    await requireDrift(parts, operator, req);
    res.locals.operator = { ...operator, role: 'Indbakke.Drift', origin: addressOf(req) } satisfies Principal;
    next();
  };
}

/**
 * Without the database the pages can be read all the same: they show nothing personal, and that is when they are needed most.
 *
 * @throws Problem not-signed-in when the session has been ended, or the token revoked
 */
async function requireUnended({ isRevoked }: Parts, operator: Principal, req: Request): Promise<void> {
  await requireUnrevoked(isRevoked, operator).catch((error: unknown) => {
    if (!isReading(req) || toProblem(error).code !== 'unavailable') throw error;
  });
}

/** Whom `requireOperator` let in. */
export const signedInOperator = (res: Response) => res.locals.operator as Principal;

const isReading = ({ method }: Request) => method === 'GET' || method === 'HEAD';

/** Whether a person opens a page, and not a program or a script of a page. */
export const isNavigation = (req: Request) => isReading(req) && (req.get('accept') ?? '').includes('text/html');

async function verifyBearer(parts: Parts, req: Request): Promise<Principal> {
  try {
    const { scheme, value = '' } = readCredentials(req) ?? {};
    if (scheme !== 'bearer') throw new Problem('not-signed-in', OPERATORS_ONLY);
    return await verifyOperator(parts, value);
  } catch (error) {
    throw await countFailedSignIn(error, req, parts.failedSignIns);
  }
}

/** @throws Problem role-missing, which the audit log of the one who is refused has then */
export async function requireDrift({ store }: Parts, principal: Principal, req: Request): Promise<void> {
  if (principal.municipality === INSTALLATION && principal.roles.has('Indbakke.Drift')) return;
  const refusal = new Problem('role-missing', OPERATORS_ONLY);
  const call = { method: req.method.toLowerCase(), path: `/${req.originalUrl.split(/[/?]/).slice(1, 3).join('/')}` };
  const { role: _, ...by } = principal;
  await auditRefusal(store, { ...by, origin: addressOf(req) }, call, {}, refusal);
  throw refusal;
}
