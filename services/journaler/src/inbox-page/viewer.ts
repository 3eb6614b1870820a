import { html } from '@indbakke/shared/html';
import { allowPage, publicPrefixOf, publicUrlOf } from '@indbakke/shared/http';
import type { Request, Response } from 'express';

/** Where the fonts are that a PDF need not bring, such as Helvetica. */
export const STANDARD_FONTS = '/inbox/static/standard-fonts/';

/**
 * The frame that shows a file of a letter. It has no origin (sandbox), so nothing in it reaches the page, its session or the API; and no
 * network beyond the files of ours that it is made of and the standard fonts of PDF.
 */
export function sendViewer(req: Request, res: Response): void {
  const base = `${publicPrefixOf(req)}/inbox/static`;
  allowPage(res, {
    'connect-src': `${publicUrlOf(req)}${STANDARD_FONTS}`,
    'frame-ancestors': "'self'",
    'img-src': 'blob:',
    'script-src': "'self'",
    'style-src': "'self'",
    sandbox: 'allow-scripts',
  });
  res.type('html').send(
    html`<!doctype html>
<html lang="da">
<head>
<meta charset="utf-8">
<meta name="color-scheme" content="light dark">
<title>Fil</title>
<link rel="stylesheet" href="${base}/viewer/viewer.css" crossorigin>
<script type="module" src="${base}/modules/viewer/viewer.js" crossorigin></script>
</head>
<body><main tabindex="0"></main></body>
</html>`.text,
  );
}
