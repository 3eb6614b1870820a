import { createBullBoard } from '@bull-board/api';
import { BullMQAdapter } from '@bull-board/api/bullMQAdapter';
import type { AppViewRoute } from '@bull-board/api/typings/app';
import { ExpressAdapter } from '@bull-board/express';
import { allowPage, publicPrefixOf } from '@indbakke/shared/http';
import type { Parts } from '@indbakke/shared/service';
import { type NextFunction, type Request, type RequestHandler, type Response, Router } from 'express';
import { signInOperators } from '../sign-in.js';

const PATH = '/ops/queues';

/** `/ops/queues`: bull-board over the queues, read-only. Jobs contain only ids. */
export function queueConsole(parts: Parts): Router {
  const board = new Board();
  board.setBasePath(PATH);
  createBullBoard({
    queues: parts.queues.all().map((queue) => new BullMQAdapter(queue, { readOnlyMode: true })),
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
