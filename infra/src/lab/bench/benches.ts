import { api } from './api.js';
import { audit } from './audit/audit.js';
import type { Bench } from './bench.js';
import { endToEnd } from './end-to-end.js';
import { fairness } from './fairness.js';
import { feed } from './feed/feed.js';
import { growth } from './growth/growth.js';
import { guard } from './guard.js';
import { inbox } from './inbox/inbox.js';
import { inboxPage } from './inbox-page.js';
import { intakeLarge, intakeLarge8 } from './intake-large.js';
import { intakeSmall } from './intake-small.js';
import { s3 } from './s3.js';
import { scale } from './scale/scale.js';
import { scrub } from './scrub.js';
import { soap } from './soap.js';
import { start } from './start.js';
import { suggest } from './suggest/suggest.js';
import { suggestRate } from './suggest-rate.js';
import { zip } from './zip.js';
import { zipJobs } from './zip-jobs.js';

/** In the order in which `all` runs them. */
export const BENCHES: readonly Bench[] = [
  intakeLarge,
  intakeSmall,
  intakeLarge8,
  zip,
  zipJobs,
  suggestRate,
  soap,
  start,
  endToEnd,
  feed,
  api,
  growth,
];

/** Not part of `all`. */
export const ON_REQUEST: readonly Bench[] = [guard, fairness, scale, inbox, inboxPage, audit, suggest, scrub, s3];
