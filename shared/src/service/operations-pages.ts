import { createBullBoard } from '@bull-board/api';
import { BullMQAdapter } from '@bull-board/api/bullMQAdapter';
import type { AppViewRoute } from '@bull-board/api/typings/app';
import { ExpressAdapter } from '@bull-board/express';
import { type NextFunction, type Request, type RequestHandler, type Response, Router } from 'express';
import { OPERATORS_ONLY } from '../access/index.js';
import { INSTALLATION } from '../audit/index.js';
import { Problem } from '../errors/index.js';
import {
  addressOf,
  allowPage,
  auditRefusal,
  publicPrefixOf,
  readCredentials,
  toProblem,
  verifyOperator,
} from '../http/index.js';
import type { Parts } from './parts.js';

const PATH = '/ops/queues';

/** `/ops/queues`: bull-board over the queues, read-only. Jobs contain only ids. */
export function operationsPages(parts: Parts): Router {
  const board = new Board();
  board.setBasePath(PATH);
  createBullBoard({
    queues: parts.queues.list().map((queue) => new BullMQAdapter(queue, { readOnlyMode: true })),
    serverAdapter: board,
    options: { uiConfig: { hideDocsLink: true } },
  });
  const router = Router();
  router.use(PATH, signInOperators(parts), allowBoard, board.getRouter());
  return router;
}

/** bull-board at the path that the browser knows, without what its page loads from other hosts: fonts. */
class Board extends ExpressAdapter {
  override setEntryRoute({ method, route, handler }: AppViewRoute): this {
    this.app[method](route, (req: Request, res: Response, next: NextFunction) => {
      const basePath = publicPrefixOf(req) + this.basePath;
      const { name, params } = handler({ basePath, uiConfig: this.uiConfig });
      res.render(name, params, (error, page) => {
        if (error) return next(error);
        res.send(page.replace(/<link [^>]*href="https?:[^>]*>/g, ''));
      });
    });
    return this;
  }
}

// Its icons and its loading screen bring styles of their own.
const allowBoard: RequestHandler = (_req, res, next) => {
  allowPage(res, {
    'base-uri': "'self'",
    'connect-src': "'self'",
    'img-src': "'self'",
    'script-src': "'self'",
    'style-src': "'self' 'unsafe-inline'",
  });
  next();
};

/**
 * A browser cannot send a bearer token, so the token may also be the password of HTTP Basic, under any user name. The pages
 * are read-only, so a forged request from another site gains nothing.
 */
function signInOperators(parts: Parts): RequestHandler {
  return async (req, res, next) => {
    try {
      const principal = await verifyOperator(parts, tokenOf(req));
      if (principal.municipality !== INSTALLATION || !principal.roles.has('Indbakke.Drift')) {
        const refusal = new Problem('role-missing', OPERATORS_ONLY);
        await auditRefusal(
          parts.store,
          { ...principal, origin: addressOf(req) },
          { method: 'get', path: PATH },
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
