import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { EXACT_PATHS } from '@indbakke/shared/http';
import express, { Router } from 'express';
import { STANDARD_FONTS, sendViewer } from './viewer.js';

const resolve = createRequire(import.meta.url).resolve;
const DESIGN = dirname(dirname(resolve('dkfds'))); // its dist
/** Ours: style sheet and icon as they are, modules as the compiler wrote them. */
const OURS = fileURLToPath(new URL('../../browser', import.meta.url));
const MODULES = fileURLToPath(new URL('../../dist/browser', import.meta.url));

/** Tests run from our sources; a browser needs what the compiler wrote. */
const compiled = (file: string) => file.replace(/\/src\/(.+)\.ts$/, '/dist/$1.js');

/** What our modules import by name, and the files that have it: the page's import map. */
export const PACKAGES = {
  preact: 'preact.mjs',
  'preact/hooks': 'hooks.mjs',
  'preact/jsx-runtime': 'jsxRuntime.mjs',
  '@indbakke/shared/danish-words': 'danish-words.js',
} as const;

/**
 * What the frame that shows files loads beside our modules of it: the reader of PDFs, decoders for scanned pages (JBIG2, JPEG 2000),
 * and the fonts that a PDF need not bring.
 */
const PDF = {
  'build/pdf.min.mjs': 'pdf.min.mjs',
  'build/pdf.worker.min.mjs': 'pdf.worker.min.mjs',
  'wasm/jbig2_nowasm_fallback.js': 'jbig2_nowasm_fallback.js',
  'wasm/openjpeg_nowasm_fallback.js': 'openjpeg_nowasm_fallback.js',
} as const;
const PDF_PACKAGE = dirname(resolve('pdfjs-dist/package.json'));

/** Our style sheets: what all pages share, and what is of one. */
export const STYLES = [
  'inbox.css',
  'actions/actions.css',
  'list/list.css',
  'letter/letter.css',
  'set-up/set-up.css',
] as const;

/** `/inbox/static`: all that the page loads. Nobody has to sign in for it: the page to sign in loads it too. */
export function staticFiles(): Router {
  const router = Router(EXACT_PATHS);
  // Asked for anew each time, and answered 304: after an upgrade no old file is left.
  const options = { cacheControl: false, index: false, redirect: false, dotfiles: 'allow' } as const;
  const fresh: express.RequestHandler = (_req, res, next) => {
    res.set('Cache-Control', 'no-cache');
    next();
  };
  for (const [name, file] of Object.entries(PACKAGES)) {
    router.get(`/inbox/static/packages/${file}`, fresh, (_req, res) => res.sendFile(compiled(resolve(name)), options));
  }
  // The frame has no origin, so that it asks as from elsewhere. Nothing of this is a secret.
  const forFrame: express.RequestHandler = (_req, res, next) => {
    res.set('Access-Control-Allow-Origin', '*');
    next();
  };
  router.get('/inbox/static/viewer.html', fresh, sendViewer);
  router.use('/inbox/static/modules/viewer', forFrame);
  router.get('/inbox/static/viewer/viewer.css', fresh, forFrame, (_req, res) =>
    res.sendFile(join(OURS, 'viewer/viewer.css'), options),
  );
  for (const [source, file] of Object.entries(PDF)) {
    router.get(`/inbox/static/packages/${file}`, fresh, forFrame, (_req, res) =>
      res.sendFile(join(PDF_PACKAGE, source), options),
    );
  }
  router.use(STANDARD_FONTS, fresh, forFrame, express.static(join(PDF_PACKAGE, 'standard_fonts'), options));
  for (const folder of ['css', 'fonts', 'img']) {
    router.use(`/inbox/static/dkfds/${folder}`, fresh, express.static(join(DESIGN, folder), options));
  }
  router.use('/inbox/static/modules', fresh, express.static(MODULES, { ...options, extensions: [] }));
  for (const name of [...STYLES, 'icon.svg']) {
    router.get(`/inbox/static/${name}`, fresh, (_req, res) => res.sendFile(join(OURS, name), options));
  }
  return router;
}
