import { danishTime } from '@indbakke/shared/danish-time';
import type { Random } from '../random.js';

// assumed: nobody publishes when post comes, how large it is and what of it are replies. All figures of this file are guesses
// that try a receiver as real post might.

const DAYS = [0.35, 2.2, 1.3, 1.1, 1, 0.8, 0.25]; // from Sunday
const HOURS = [
  0.15, 0.1, 0.1, 0.1, 0.15, 0.3, 0.6, 1.2, 2.2, 2.6, 2.2, 1.8, 1.6, 1.6, 1.5, 1.3, 1.1, 1, 1, 1.1, 1.1, 0.9, 0.6, 0.3,
];

const sumOf = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0);
const SCALE = (DAYS.length * HOURS.length) / (sumOf(DAYS) * sumOf(HOURS));

/** How many times the average comes at this time, by Danish clocks: 1 over a week. */
export function weightAt(at: Date): number {
  const [day = '', time = ''] = danishTime(at).split(' ');
  return SCALE * (DAYS[new Date(day).getUTCDay()] ?? 1) * (HOURS[Number(time.slice(0, 2))] ?? 1);
}

/** On Monday morning. */
export const HIGHEST_WEIGHT = SCALE * Math.max(...DAYS) * Math.max(...HOURS);

export type Kind = 'enquiry' | 'reply' | 'forwarded';

export function kindOf(random: Random): Kind {
  if (random.chance(0.45)) return 'reply';
  return random.chance(0.9) ? 'enquiry' : 'forwarded';
}

const SMALLEST = 20_000;
const SMALL_UP_TO = 2_000_000;
const LARGE_FROM = 60_000_000;
/** Digital Post’s limit (CATPK); whether of XML or of files, and of MB or MiB, is not known. */
export const LARGEST = 99_500_000;
const STEPS = 11;
const LARGE_STEPS = 3;

/** Sizes of a message in bytes of XML. A few, since the content of each is made once and sent often. */
export const SMALL_SIZES = Array.from({ length: STEPS + 1 }, (_, step) =>
  Math.round(SMALLEST * (SMALL_UP_TO / SMALLEST) ** (step / STEPS)),
);
export const LARGE_SIZES = Array.from({ length: LARGE_STEPS + 1 }, (_, step) =>
  Math.round(LARGE_FROM + (step * (LARGEST - LARGE_FROM)) / LARGE_STEPS),
);

/** Small ones are spread evenly over the orders of magnitude, so most are far below the average. */
export function sizeOf(random: Random, largeShare: number, small: readonly number[] = SMALL_SIZES): number {
  return random.pick(random.chance(largeShare) ? LARGE_SIZES : small);
}
