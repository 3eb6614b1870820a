import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { EXACT_PATHS } from '@indbakke/shared/http';
import express, { Router } from 'express';

const folderOf = (module: string) => dirname(createRequire(import.meta.url).resolve(module));
const DESIGN = dirname(folderOf('dkfds')); // its dist
const CHARTS = folderOf('uplot');
/** Ours: plain files, which the compiler does not touch. */
const OURS = fileURLToPath(new URL('../browser', import.meta.url));

const FILES = {
  'operations.mjs': join(OURS, 'operations.mjs'),
  'operations.css': join(OURS, 'operations.css'),
  'icon.svg': join(OURS, 'icon.svg'),
  'uPlot.esm.js': join(CHARTS, 'uPlot.esm.js'),
  'uPlot.min.css': join(CHARTS, 'uPlot.min.css'),
} as const;

/** `/ops/static`: all that the pages load. Nobody has to sign in for it: the page to sign in loads it too. */
export function staticFiles(): Router {
  const router = Router(EXACT_PATHS);
  // Asked for anew each time, and answered 304: after an upgrade no old file is left.
  const options = { cacheControl: false, index: false, redirect: false, fallthrough: true } as const;
  for (const [name, file] of Object.entries(FILES)) {
    router.get(`/ops/static/${name}`, (_req, res) => {
      res.set('Cache-Control', 'no-cache').sendFile(file, { cacheControl: false, dotfiles: 'allow' });
    });
  }
  for (const folder of ['css', 'fonts', 'img']) {
    router.use(
      `/ops/static/dkfds/${folder}`,
      (_req, res, next) => {
        res.set('Cache-Control', 'no-cache');
        next();
      },
      express.static(join(DESIGN, folder), options),
    );
  }
  return router;
}
