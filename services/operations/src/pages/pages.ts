import { FAILED_JOBS_PAGE } from './failed-jobs.js';
import { FILES_PAGE } from './files.js';
import { HELD_PAGE } from './held.js';
import type { Page } from './page.js';
import { QUARANTINE_PAGE } from './quarantine.js';
import { SCRUB_PAGE } from './scrub.js';
import { WEBHOOKS_PAGE } from './webhooks.js';

/** The pages with actions, in their order. */
export const PAGES: readonly Page[] = [
  FAILED_JOBS_PAGE,
  HELD_PAGE,
  FILES_PAGE,
  QUARANTINE_PAGE,
  WEBHOOKS_PAGE,
  SCRUB_PAGE,
];
