import { type Request, Router } from 'express';
import { Problem } from '../errors/index.js';

/** Options of a router whose paths have one spelling: upper case, or a slash at the end, finds nothing. */
export const EXACT_PATHS = { caseSensitive: true, strict: true } as const;

/** The last handler: no route matched. */
export function notFound(req: Request): never {
  throw new Problem('not-found', `There is no ${req.method} call at this path. See /api/v1/docs.`);
}

/** Answers 405 to every other method of the paths of these routers (RFC 9110, 15.5.6). To be mounted after them. */
export function refuseOtherMethods(...routers: Router[]): Router {
  const refusing = Router(EXACT_PATHS);
  for (const [path, methods] of routers.reduce(collectMethods, new Map<string, Set<string>>())) {
    const allowed = [...methods].join(', ');
    refusing.all(path, (req, res, next) => {
      if (methods.has(req.method)) return next(); // declined by its route, because of the query or another path
      res.set('Allow', allowed);
      throw new Problem('method-not-allowed', `There is no ${req.method} call at this path, only ${allowed}.`);
    });
  }
  return refusing;
}

function collectMethods(found: Map<string, Set<string>>, router: Router): Map<string, Set<string>> {
  for (const { route, handle } of router.stack) {
    if (!route) {
      if ('stack' in handle) collectMethods(found, handle as unknown as Router);
      continue;
    }
    const methods = found.get(route.path) ?? new Set();
    for (const { method } of route.stack) methods.add(method.toUpperCase());
    if (methods.has('GET')) methods.add('HEAD');
    found.set(route.path, methods);
  }
  return found;
}
