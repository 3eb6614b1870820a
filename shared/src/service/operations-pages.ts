import { createBullBoard } from '@bull-board/api';
import { BullMQAdapter } from '@bull-board/api/bullMQAdapter';
import { ExpressAdapter } from '@bull-board/express';
import { type RequestHandler, Router } from 'express';
import type { TokenVerifier } from '../access/index.js';
import { Problem } from '../errors/index.js';
import { sendProblem, toProblem } from '../http/index.js';
import type { Metrics } from '../metrics/index.js';
import type { Parts } from './parts.js';

const PATH = '/ops/queues';

/** `/ops/queues`: bull-board over the queues, read-only. Jobs contain only ids. */
export function operationsPages({ queues, tokens, metrics }: Parts): Router {
  const board = new ExpressAdapter();
  board.setBasePath(PATH);
  createBullBoard({
    queues: queues.list().map((queue) => new BullMQAdapter(queue, { readOnlyMode: true })),
    serverAdapter: board,
  });
  const router = Router();
  router.use(PATH, signInToOperations(tokens, metrics), board.getRouter());
  return router;
}

/**
 * A browser cannot send a bearer token, so the token may also be the password of HTTP Basic, under any user name. The pages
 * are read-only, so a forged request from another site gains nothing.
 */
function signInToOperations(tokens: TokenVerifier, metrics: Metrics): RequestHandler {
  return async (req, res, next) => {
    try {
      const { roles } = await tokens.verify(tokenOf(req.get('authorization') ?? ''));
      if (!roles.has('Indbakke.Drift'))
        throw new Problem('role-missing', 'The queues require the role Indbakke.Drift.');
      res.set('Cache-Control', 'no-store');
      next();
    } catch (error) {
      const problem = toProblem(error);
      if (problem.code !== 'not-signed-in') return next(problem);
      metrics.notSignedIn.inc();
      res.set(
        'WWW-Authenticate',
        'Basic realm="Indbakke operations: any user name, a token as the password", charset="UTF-8"',
      );
      sendProblem(res, problem);
    }
  };
}

function tokenOf(authorization: string): string {
  const [scheme = '', value = ''] = authorization.split(' ');
  if (scheme.toLowerCase() === 'bearer') return value;
  if (scheme.toLowerCase() === 'basic')
    return Buffer.from(value, 'base64')
      .toString('utf8')
      .replace(/^[^:]*:/, '');
  throw new Problem('not-signed-in', 'Sign in with a token that has the role Indbakke.Drift.');
}
