import { type Html, html } from '@indbakke/shared/html';
import { allowPage, publicPrefixOf } from '@indbakke/shared/http';
import type { Request, Response } from 'express';
import { signedInOperator } from '../sign-in/guard.js';
import type { PageLink } from './page.js';
import { languageOf, TEXTS } from './texts.js';

export interface Frame {
  readonly title: string;
  readonly body: Html;
  /** Whether its parts with `data-fresh` are replaced as time goes by. */
  readonly isFresh?: boolean;
  /** Where to go at once. */
  readonly goOn?: string;
  /** The other pages, for who is signed in. */
  readonly links?: readonly PageLink[];
}

/** Everything comes from here; nothing runs or styles but files of ours. */
const POLICY = {
  'connect-src': "'self'",
  'font-src': "'self'",
  'form-action': "'self'",
  'img-src': "'self'",
  'script-src': "'self'",
  'style-src': "'self'",
};

/** Sends a page in its frame: header, navigation, content. */
export function sendPage(req: Request, res: Response, { title, body, isFresh, goOn, links }: Frame): void {
  const language = languageOf(req, res);
  const texts = TEXTS[language];
  const base = `${publicPrefixOf(req)}/ops`;
  const operator = links && signedInOperator(res);
  const other = language === 'da' ? 'en' : 'da';
  const here = `${publicPrefixOf(req)}${req.baseUrl}${req.path}`; // the page of an error is mounted at /ops
  const query = new URLSearchParams(req.originalUrl.split('?')[1]);
  query.set('language', other);
  const isHere = (path: string) => (path === here ? html` aria-current="page"` : undefined);
  allowPage(res, POLICY);
  // With no-referrer, the forms of the page would be sent with the Origin `null`.
  res.set({ 'Cache-Control': 'no-store', 'Referrer-Policy': 'same-origin' }).vary('Cookie').type('html');
  res.send(
    html`<!doctype html>
<html lang="${language}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
${goOn && html`<meta http-equiv="refresh" content="0; url=${goOn}">`}
<title>${title} – ${texts.product}</title>
<link rel="icon" href="${base}/static/icon.svg" type="image/svg+xml">
<link rel="stylesheet" href="${base}/static/dkfds/css/dkfds.min.css">
<link rel="stylesheet" href="${base}/static/uPlot.min.css">
<link rel="stylesheet" href="${base}/static/operations.css">
<script type="module" src="${base}/static/operations.mjs"></script>
</head>
<body>
<a class="skipnav" href="#content">${texts.skip}</a>
<header class="top">
<p class="product">${links ? html`<a class="home" href="${base}">${texts.product}</a>` : texts.product}</p>
<div class="who">
${operator && html`<span>${texts.signedInAs(operator.actor.id)}</span>`}
<a href="${here}?${String(query)}" hreflang="${other}" lang="${other}">${texts.otherLanguage}</a>
${operator && html`<form method="post" action="${base}/sign-out"><button class="button button-secondary" type="submit">${texts.signOut}</button></form>`}
</div>
${
  links &&
  html`<nav aria-label="${texts.pages}"><ul class="no-max-width">
<li><a class="tab" href="${base}"${isHere(base)}>${texts.overview}</a></li>
${links.map(({ name, title: of }) => html`<li><a class="tab" href="${base}/${name}"${isHere(`${base}/${name}`)}>${of}</a></li>`)}
<li><a class="tab" href="${base}/queues">${texts.console}</a></li></ul></nav>`
}
</header>
<main id="content" tabindex="-1">
<h1>${title}</h1>
${
  isFresh &&
  html`<p class="fresh" data-updates="15" data-signed-out="${texts.signedOut}">
<span data-fresh id="updated">${texts.updatedAt} ${clock()}</span>
<button class="button button-secondary" type="button" hidden data-pause="${texts.pause}" data-go-on="${texts.goOn}">${texts.pause}</button></p>`
}
${body}
</main>
</body>
</html>`.text,
  );
}

const CLOCK = new Intl.DateTimeFormat('en-GB', { timeZone: 'Europe/Copenhagen', timeStyle: 'medium' });
const clock = () => CLOCK.format(new Date());
