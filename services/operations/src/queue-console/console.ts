import { createBullBoard } from '@bull-board/api';
import { BullMQAdapter } from '@bull-board/api/bullMQAdapter';
import type { AppViewRoute } from '@bull-board/api/typings/app';
import { ExpressAdapter } from '@bull-board/express';
import { type Action, recordAudit } from '@indbakke/shared/audit';
import { currentTime } from '@indbakke/shared/clock';
import { Problem } from '@indbakke/shared/errors';
import { allowPage, publicPrefixOf } from '@indbakke/shared/http';
import { QUEUE_NAMES } from '@indbakke/shared/queue';
import type { Parts } from '@indbakke/shared/service';
import { type NextFunction, type Request, type RequestHandler, type Response, Router } from 'express';
import { requireOperator, signedInOperator } from '../sign-in/guard.js';

const PATH = '/ops/queues';

/** `/ops/queues`: bull-board over every queue. Jobs contain only ids. One may be retried, promoted or removed, nothing else. */
export function queueConsole(parts: Parts): Router {
  const board = new Board();
  board.setBasePath(PATH);
  const { replaceQueues } = createBullBoard({
    queues: [],
    serverAdapter: board,
    options: { uiConfig: { hideDocsLink: true, miscLinks: [{ text: 'Indbakke', url: '/ops' }] } },
  });
  // Anew for each request: a queue that could not connect is replaced by the next one.
  const showQueues: RequestHandler = (_req, _res, next) => {
    replaceQueues(parts.queues.all().map((queue) => new BullMQAdapter(queue)));
    next();
  };
  const router = Router();
  router.use(PATH, requireOperator(parts), allowBoard, auditChanges(parts), showQueues, board.getRouter());
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

const OF_A_JOB = { retry: 'job-retried', promote: 'job-promoted', clean: 'job-removed' } as const;
const CHANGE = /^\/api\/queues\/([\w-]+)\/(?:([\w-]{1,200})\/(retry|promote|clean)|retry\/(failed))$/;

/** Of what bull-board changes only this, and nothing that is not in the audit log. */
function auditChanges({ store, queues }: Parts): RequestHandler {
  return async (req, res, next) => {
    if (req.method === 'GET' || req.method === 'HEAD') return next();
    const [, queue = '', jobId, change, failed] = (req.method === 'PUT' && CHANGE.exec(req.path)) || [];
    if (!isQueue(queue))
      throw new Problem('method-not-allowed', 'The console retries, promotes and removes jobs only.');
    if (jobId !== undefined && !(await mayChange(queues, queue, jobId, change)))
      throw new Problem('not-found', 'There is no such job, or it is not in a state for that.');
    const action: Action = failed ? 'jobs-retried' : OF_A_JOB[change as keyof typeof OF_A_JOB];
    const details = { queue, ...(jobId !== undefined && { jobId }) };
    await recordAudit(store, { by: signedInOperator(res), at: currentTime(), action, details });
    next();
  };
}

const isQueue = (name: string) => (QUEUE_NAMES as readonly string[]).includes(name);

// What bull-board itself would refuse is not in the audit log as done.
async function mayChange(queues: Parts['queues'], name: string, jobId: string, change = ''): Promise<boolean> {
  const queue = queues.all().find((each) => each.name === name);
  const state = await queue?.getJobState(jobId);
  if (change === 'retry') return state === 'failed' || state === 'completed';
  if (change === 'promote') return state === 'delayed';
  return state !== undefined && state !== 'unknown' && state !== 'active';
}
