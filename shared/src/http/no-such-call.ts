import { type Request, Router } from 'express';
import { OPERATIONS, type Operation } from '../api/index.js';
import { Problem } from '../errors/index.js';

/** Options of a router whose paths have one spelling: upper case, or a slash at the end, finds nothing. */
export const EXACT_PATHS = { caseSensitive: true, strict: true } as const;

const operations = Object.values<Operation>(OPERATIONS);

/** No call has this path. */
export function noSuchCall(req: Request): Problem {
  return new Problem('not-found', `There is no ${req.method} call at this path. See /api/v1/docs.`);
}

/** The last handler: no route matched. */
export function notFound(req: Request): never {
  throw noSuchCall(req);
}

/** Answers 405 to every other method of the paths of these routers (RFC 9110, 15.5.6). To be mounted after them. */
export function refuseOtherMethods(...routers: Router[]): Router {
  const refusing = Router(EXACT_PATHS);
  for (const [path, methods] of routers.reduce(collectMethods, new Map<string, Set<string>>())) {
    const allowed = [...methods].join(', ');
    const { params } = operations.find((operation) => operation.path === path) ?? {};
    refusing.all(path, (req, res) => {
      const isDeclined = methods.has(req.method); // by its route, because of the query
      if (isDeclined || params?.safeParse(req.params).success === false) throw noSuchCall(req);
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
