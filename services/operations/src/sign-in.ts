import { OPERATORS_ONLY } from '@indbakke/shared/access';
import { INSTALLATION } from '@indbakke/shared/audit';
import { Problem } from '@indbakke/shared/errors';
import { addressOf, auditRefusal, readCredentials, toProblem, verifyOperator } from '@indbakke/shared/http';
import type { Parts } from '@indbakke/shared/service';
import type { Request, RequestHandler } from 'express';

/**
 * A browser cannot send a bearer token, so the token may also be the password of HTTP Basic, under any user name. The pages
 * are read-only, so a forged request from another site gains nothing.
 */
export function signInOperators(parts: Parts): RequestHandler {
  return async (req, res, next) => {
    try {
      const principal = await verifyOperator(parts, tokenOf(req));
      if (principal.municipality !== INSTALLATION || !principal.roles.has('Indbakke.Drift')) {
        const refusal = new Problem('role-missing', OPERATORS_ONLY);
        await auditRefusal(
          parts.store,
          { ...principal, origin: addressOf(req) },
          { method: 'get', path: req.baseUrl || req.path },
          {},
          refusal,
        );
        throw refusal;
      }
    } catch (error) {
      if (toProblem(error).code === 'not-signed-in') {
        parts.metrics.notSignedIn.inc();
        res.set('WWW-Authenticate', CHALLENGE);
      }
      throw error;
    }
    res.set('Cache-Control', 'no-store');
    next();
  };
}

const CHALLENGE = 'Basic realm="Indbakke operations: any user name, a token as the password", charset="UTF-8"';

function tokenOf(req: Request): string {
  const { scheme, value = '' } = readCredentials(req) ?? {};
  if (scheme === 'bearer') return value;
  if (scheme === 'basic')
    return Buffer.from(value, 'base64')
      .toString('utf8')
      .replace(/^[^:]*:/, '')
      .trim();
  throw new Problem('not-signed-in', OPERATORS_ONLY);
}
