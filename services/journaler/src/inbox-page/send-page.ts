import { createHash } from 'node:crypto';
import { Html, html } from '@indbakke/shared/html';
import { allowPage, publicPrefixOf } from '@indbakke/shared/http';
import type { Request, Response } from 'express';
import { PACKAGES, STYLES } from './static.js';

/** Everything comes from here; nothing runs or styles but files of ours, and the import map, which has its hash here. */
const policyWith = (importMap: string) => ({
  'connect-src': "'self'",
  'font-src': "'self'",
  'form-action': "'self'",
  'frame-src': "'self'",
  'img-src': "'self'",
  'script-src': `'self' 'sha256-${createHash('sha256').update(importMap).digest('base64')}'`,
  'style-src': "'self'",
});

export interface Page {
  readonly title: string;
  /** What is in it before, or without, our modules. */
  readonly body: Html;
  /** The module that fills it. */
  readonly module?: string;
  /** Where to go at once. */
  readonly goOn?: string;
}

/** Sends a page of the inbox. */
export function sendPage(req: Request, res: Response, { title, body, module, goOn }: Page): void {
  const base = `${publicPrefixOf(req)}/inbox`;
  const imports = Object.entries(PACKAGES).map(([name, file]) => [name, `${base}/static/packages/${file}`]);
  const importMap = JSON.stringify({ imports: Object.fromEntries(imports) });
  allowPage(res, policyWith(importMap));
  // With no-referrer, the forms of the page would be sent with the Origin `null`.
  res.set({ 'Cache-Control': 'no-store', 'Referrer-Policy': 'same-origin' }).vary('Cookie').type('html');
  res.send(
    html`<!doctype html>
<html lang="da">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
${goOn && html`<meta http-equiv="refresh" content="0; url=${goOn}">`}
<title>${title} – Indbakke</title>
<link rel="icon" href="${base}/static/icon.svg" type="image/svg+xml">
<link rel="stylesheet" href="${base}/static/dkfds/css/dkfds.min.css">
${STYLES.map((name) => html`<link rel="stylesheet" href="${base}/static/${name}">`)}
${module && html`<script type="importmap">${new Html(importMap)}</script>`}
${module && html`<script type="module" src="${base}/static/modules/${module}"></script>`}
</head>
<body>
${body}
</body>
</html>`.text,
  );
}
