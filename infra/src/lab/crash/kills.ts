import { CRASH_POINTS, type Step } from '@indbakke/shared/crash-points';

/**
 * Moments that the services do not announce; the harness sees them from outside, in the parts that it gives them. `written`
 * = the rows of the transaction are written and its COMMIT is not sent; `committed` = it is durable, nobody was answered.
 */
export const MOMENTS = {
  'message-written': 'intake',
  'suggestion-written': 'suggestion',
  'journalization-written': 'journalization',
  'journalization-committed': 'journalization',
  'rejection-written': 'rejection',
  'rejection-committed': 'rejection',
  'deletion-written': 'deletion',
  'zip-read': 'zip',
} as const;

export type Moment = keyof typeof MOMENTS;
/** Where the process of the services kills itself. */
export type Point = Step | Moment;

/** Kills from outside, after a random time under load. */
export const FROM_OUTSIDE = {
  random: 'The services, at any moment under load.',
  'at-start': 'The services, while they start or take in again what got no answer.',
  postgres: 'PostgreSQL and all its processes; the services live on.',
  both: 'PostgreSQL, and the services with it.',
  'at-sweep': 'The services, while sweeps bring what is left over; once before each comparison of everything.',
} as const;

export type Kill = Point | keyof typeof FROM_OUTSIDE;

/** What a caseworker does to a message. */
export type Work = 'journalize' | 'reject' | 'delete' | 'zip';

const points = [...Object.keys(CRASH_POINTS), ...Object.keys(MOMENTS)] as Point[];
const outside = Object.keys(FROM_OUTSIDE) as (keyof typeof FROM_OUTSIDE)[];

/** Every kind of kill, in the order of the table. */
export const KILLS: readonly Kill[] = [...points, ...outside];

/** Those that a run can be about. */
export const KILLS_OF_RUNS = KILLS.filter((kill) => kill !== 'at-sweep');

// Has no divisor in common with their number, so that each comes, and a short series has something of everything.
const STRIDE = 8;

/** The order in which the runs take them. */
export const ROUND = KILLS_OF_RUNS.map((_, turn) => KILLS_OF_RUNS[(turn * STRIDE) % KILLS_OF_RUNS.length] as Kill);

export function isPoint(kill: Kill): kill is Point {
  return (points as readonly string[]).includes(kill);
}

/** The caseworkers’ work that leads to a point, and how often it may be passed before the kill. */
export function roadTo(kill: Kill): { work: Work | undefined; atMost: number } {
  if (kill.startsWith('journalization')) return { work: 'journalize', atMost: 4 };
  if (kill.startsWith('rejection')) return { work: 'reject', atMost: 4 };
  if (kill.startsWith('deletion')) return { work: 'delete', atMost: 3 };
  if (kill === 'content-removed' || kill === 'removal-synced') return { work: 'delete', atMost: 4 };
  if (kill === 'zip-read') return { work: 'zip', atMost: 5 };
  if (kill.startsWith('suggestion')) return { work: undefined, atMost: 5 };
  return { work: undefined, atMost: 15 };
}
