import { allowPage, EXACT_PATHS } from '@indbakke/shared/http';
import { Router } from 'express';
import { html } from '../html/html.js';
import type { OperationsParts } from '../sections/section.js';
import { SECTIONS } from '../sections/sections.js';
import { signInOperators } from '../sign-in.js';
import { formatIn } from './language.js';

/** `/ops`: every section. */
export function operationsPages(parts: OperationsParts): Router {
  const router = Router(EXACT_PATHS);
  router.get('/ops', signInOperators(parts), async (_req, res) => {
    const now = new Date();
    const shown = await Promise.all(
      SECTIONS.map(async ({ name, show }) => ({ name, view: await show(parts, now, 'en', formatIn('en')) })),
    );
    allowPage(res, { 'style-src': "'self'" });
    res.type('html').send(
      html`<!doctype html>
<html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>Indbakke</title>
${shown.map(({ name, view }) => html`<section id="${name}"><h2>${view.title}</h2>${view.body}</section>`)}
</html>`.text,
    );
  });
  return router;
}
