import { Router } from 'express';
import { describeApi } from '../api/index.js';
import { allowPage, EXACT_PATHS, publicPrefixOf } from '../http/index.js';
import { docsPage } from './docs-page.js';

/**
 * `/api/v1/openapi.json`, the same in OpenAPI 3.0, and `/api/v1/docs` for people: all generated from the contract that validates
 * the calls.
 */
export function describesItself(): Router {
  const page = docsPage(describeApi('3.1'));
  const router = Router(EXACT_PATHS);
  for (const [path, version] of DOCUMENTS) {
    const description = describeApi(version);
    router.get(path, (req, res) => {
      const prefix = publicPrefixOf(req);
      res.json(prefix === '' ? description : { ...description, servers: [{ url: prefix }] });
    });
  }
  router.get('/api/v1/docs', (_req, res) => {
    allowPage(res, { 'style-src': "'unsafe-inline'" });
    res.type('html').send(page);
  });
  return router;
}

const DOCUMENTS = [
  ['/api/v1/openapi.json', '3.1'],
  ['/api/v1/openapi-3.0.json', '3.0'],
] as const;
