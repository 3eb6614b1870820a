import { LEDGER } from './ledger.js';
import { AUDIT_MONTHS } from './audit-months.js';
import { FAILED_JOBS } from './failed-jobs.js';
import { FEED } from './feed.js';
import { HELD_MAIL } from './held.js';
import { KEYS } from './keys.js';
import { PARTS } from './parts.js';
import { QUARANTINE } from './quarantine.js';
import { QUEUES } from './queues.js';
import { SCRUB } from './scrub.js';
import type { Section } from './section.js';
import { WEBHOOKS } from './webhooks.js';

/** The sections of the operations page, in their order. */
export const SECTIONS: readonly Section[] = [
  PARTS,
  QUEUES,
  FAILED_JOBS,
  HELD_MAIL,
  QUARANTINE,
  WEBHOOKS,
  FEED,
  AUDIT_MONTHS,
  LEDGER,
  SCRUB,
  KEYS,
];
