import { Router } from 'express';
import { ROLES } from '../access/index.js';
import { describeApi, OPERATIONS, type Operation } from '../api/index.js';
import { ERRORS } from '../errors/index.js';
import { allowPage, EXACT_PATHS, publicPrefixOf } from '../http/index.js';

/**
 * `/api/v1/openapi.json`, the same in OpenAPI 3.0, and `/api/v1/docs` for people: all generated from the contract that validates
 * the calls.
 */
export function describesItself(): Router {
  const page = docsPage();
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

function docsPage(): string {
  const calls = Object.values<Operation>(OPERATIONS).map(({ method, path, roles, summary, change }) => [
    `<code>${method.toUpperCase()} ${path}</code>`,
    summary + (change ? ' Requires <code>If-Match</code>.' : ''),
    roles.join(' or '),
  ]);
  const errors = Object.entries(ERRORS).map(([code, { http, meaning, again }]) => [
    `<code>${code}</code>`,
    String(http),
    meaning,
    again === 'read-first' ? 'read first' : again ? 'yes' : 'no',
  ]);
  return `<!doctype html>
<html lang="en"><meta charset="utf-8"><title>Indbakke: the inbox API</title>
<style>body{font:16px/1.5 system-ui,sans-serif;margin:2rem auto;max-width:70rem;padding:0 1rem}
table{border-collapse:collapse}td,th{text-align:left;vertical-align:top;padding:.3rem .8rem .3rem 0;border-top:1px solid #ddd}</style>
<h1>Indbakke: the inbox API</h1>
<p>For the DUBU core. Every call carries <code>Authorization: Bearer …</code>; a token is for one municipality. The full
description, with every field, is <a href="openapi.json">openapi.json</a> (OpenAPI 3.1).</p>
<h2>Calls</h2>${table(['Call', 'What it does', 'Role'], calls)}
<h2>Roles</h2>${table(['Role', 'What it allows'], Object.entries(ROLES))}
<h2>Errors</h2><p>RFC 9457 <code>application/problem+json</code> with these codes.</p>
${table(['Code', 'Status', 'Meaning', 'Retry'], errors)}
</html>`;
}

function table(heads: string[], rows: string[][]): string {
  const row = (cells: string[], tag: string) => `<tr>${cells.map((cell) => `<${tag}>${cell}</${tag}>`).join('')}</tr>`;
  return `<table>${row(heads, 'th')}${rows.map((cells) => row(cells, 'td')).join('\n')}</table>`;
}
