import { AUDIT_MONTHS } from './audit-months.js';
import { CERTIFICATES } from './certificates.js';
import { COPIES } from './copies.js';
import { FAILED_JOBS } from './failed-jobs.js';
import { FEED } from './feed.js';
import { FILES } from './files.js';
import { HELD_MAIL } from './held.js';
import { KEYS } from './keys.js';
import { LEDGER } from './ledger.js';
import { MAIL } from './mail.js';
import { OUTAGES } from './outages.js';
import { PARTS } from './parts.js';
import { QUARANTINE } from './quarantine.js';
import { QUEUES } from './queues.js';
import { REFUSALS } from './refusals.js';
import { ROOM } from './room.js';
import { SCANS } from './scans.js';
import { SCRUB } from './scrub.js';
import type { Section } from './section.js';
import { SILENCE } from './silence.js';
import { RECEIPTS, SENDING_ON } from './unsent.js';
import { WEBHOOKS } from './webhooks.js';

/** The sections of the operations page, in their order. */
export const SECTIONS: readonly Section[] = [
  PARTS,
  MAIL,
  OUTAGES,
  QUEUES,
  FAILED_JOBS,
  HELD_MAIL,
  FILES,
  SCANS,
  QUARANTINE,
  REFUSALS,
  SILENCE,
  WEBHOOKS,
  RECEIPTS,
  SENDING_ON,
  FEED,
  LEDGER,
  ROOM,
  KEYS,
  CERTIFICATES,
  AUDIT_MONTHS,
  SCRUB,
  COPIES,
];
