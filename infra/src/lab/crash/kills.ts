import { CRASH_POINTS, type CrashPoint } from '@indbakke/shared/crash-points';

/**
 * Points that the services do not announce; the harness sees them in the parts that it gives the services. `written`: the
 * rows are written, but COMMIT is not sent; `committed`: the transaction is durable, but not answered.
 */
export const HARNESS_POINTS = {
  'message-written': 'intake',
  'suggestion-written': 'suggestion',
  'journalization-written': 'journalization',
  'journalization-committed': 'journalization',
  'bulk-written': 'bulk',
  'bulk-committed': 'bulk',
  'rejection-written': 'rejection',
  'rejection-committed': 'rejection',
  'deletion-written': 'deletion',
  'distribution-written': 'distribution',
  'distribution-committed': 'distribution',
  'zip-read': 'zip',
} as const;

export type HarnessPoint = keyof typeof HARNESS_POINTS;
/** Where the victim kills itself. */
export type Point = CrashPoint | HarnessPoint;

/** Faults from outside, after a random time under load. */
export const FROM_OUTSIDE = {
  random: 'The services, at a random time under load.',
  'at-start': 'The services, while they start.',
  postgres: 'PostgreSQL and all its processes, but not the services.',
  both: 'PostgreSQL and the services.',
  silent:
    'Nothing, but PostgreSQL does not answer: some COMMITs are lost, then its processes stop (SIGSTOP) and go on.',
  'at-extract': 'The services, while they make files of extracts.',
  'at-package': 'The services, while they make access packages.',
  'at-zip': 'The services, while they make zips of many messages.',
  'at-sweep': 'The services, during sweeps, before each comparison of everything.',
} as const;

export type Kill = Point | keyof typeof FROM_OUTSIDE;

/** What a caseworker does to a message. */
export type Work = 'journalize' | 'bulk' | 'reject' | 'send-on' | 'delete' | 'zip';

// The load does not come to these: tests of the services kill a process there.
const KILLED_IN_TESTS: ReadonlySet<string> = new Set([
  'handover-copied',
  'handover-committed',
  'retention-committed',
  'ledger-written',
  'ledger-line-written',
  'ledger-content-read',
  'scrub-begun',
  'scrub-copied',
  'scrub-swapped',
  'scrub-rewritten',
  'key-file-written',
  'move-locked',
  'move-copied',
  'move-verified',
  'keys-rewrapped',
] satisfies CrashPoint[]);
const points = [...Object.keys(CRASH_POINTS), ...Object.keys(HARNESS_POINTS)].filter(
  (point) => !KILLED_IN_TESTS.has(point),
) as Point[];
const outside = Object.keys(FROM_OUTSIDE) as (keyof typeof FROM_OUTSIDE)[];

/** All kinds of kill, in the order of the table. */
export const KILLS: readonly Kill[] = [...points, ...outside];

/** The kinds that a run can have; nothing is scanned without a scanner. */
export const KILLS_OF_RUNS = KILLS.filter((kill) => kill !== 'at-sweep' && kill !== 'file-scanned');

// Coprime with the number of kinds, so that all are used, and a short series has some of everything.
const STRIDE = 7;
if (KILLS_OF_RUNS.length % STRIDE === 0)
  throw new Error('Some kinds of kill would never be used: choose another STRIDE.');

/** Due at once in a run. */
export const EXTRACTS = 4;
export const PACKAGES = 4;
export const ZIPS = 4;

/** The order of the kinds in runs. */
export const ROUND = KILLS_OF_RUNS.map((_, turn) => KILLS_OF_RUNS[(turn * STRIDE) % KILLS_OF_RUNS.length] as Kill);

// Nothing is renamed there, and only what is over 5 MiB has several parts.
const NOT_IN_S3: readonly Kill[] = ['content-synced', 'content-renamed'];

/** The same, of a series with content in S3. */
export const ROUND_IN_S3 = ROUND.filter((kill) => !NOT_IN_S3.includes(kill));

export function isPoint(kill: Kill): kill is Point {
  return (points as readonly string[]).includes(kill);
}

/** The kinds of a series with a scanner, which keeps files closed for seconds: those that need none open. */
export const ROUND_WITH_SCANNER: readonly Kill[] = ['file-scanned', 'random', 'file-scanned', 'postgres', 'both'];

/** Whether files of extracts are made under the load. */
export function makesExtracts(kill: Kill): boolean {
  return kill.includes('extract');
}

/** Whether access packages are made under the load. */
export function makesPackages(kill: Kill): boolean {
  return kill.includes('package');
}

/** Whether half of what is sent is documents from Fordelingskomponenten. */
export function isOfDocuments(kill: Kill): boolean {
  return kill === 'due-taken' || kill.startsWith('file-') || kill.startsWith('receipt-');
}

/** Whether zips of many messages are made under the load. */
export function makesZips(kill: Kill): boolean {
  return kill === 'at-zip' || (kill.startsWith('zip-') && kill !== 'zip-read');
}

/** Whether deliveries that cannot be read are sent under the load. */
export function sendsUnreadable(kill: Kill): boolean {
  return kill.startsWith('quarantine');
}

/** The caseworkers’ work that leads to a point, and after how many passes the kill comes at most. */
export function workBefore(kill: Kill): { work: Work | undefined; maxCount: number } {
  if (kill.startsWith('journalization') || kill === 'silent') return { work: 'journalize', maxCount: 4 };
  if (kill.startsWith('bulk')) return { work: 'bulk', maxCount: 9 };
  if (kill.startsWith('rejection')) return { work: 'reject', maxCount: 4 };
  // In one of the two municipalities only.
  if (kill === 'deletion-decided') return { work: 'delete', maxCount: 1 };
  if (kill.startsWith('deletion')) return { work: 'delete', maxCount: 3 };
  if (kill === 'content-removed' || kill === 'removal-synced') return { work: 'delete', maxCount: 4 };
  if (kill === 'quarantine-removed') return { work: undefined, maxCount: 3 };
  if (kill.startsWith('quarantine')) return { work: undefined, maxCount: 8 };
  if (kill === 'held-released') return { work: undefined, maxCount: 2 };
  if (kill === 'audit-month-anchored') return { work: undefined, maxCount: 1 };
  if (kill === 'due-taken' || kill.startsWith('file-')) return { work: undefined, maxCount: 5 };
  if (kill.startsWith('receipt-')) return { work: 'reject', maxCount: 2 };
  if (kill.startsWith('distribution')) return { work: 'send-on', maxCount: 4 };
  if (kill === 'zip-read') return { work: 'zip', maxCount: 5 };
  if (kill.startsWith('extract')) return { work: 'journalize', maxCount: EXTRACTS };
  if (makesZips(kill)) return { work: undefined, maxCount: ZIPS };
  if (kill.startsWith('package')) return { work: undefined, maxCount: PACKAGES };
  if (kill.startsWith('suggestion')) return { work: undefined, maxCount: 5 };
  return { work: undefined, maxCount: 15 };
}
