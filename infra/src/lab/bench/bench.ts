import type { Place } from './place.js';

/** One benchmark: what it measures beside what, and how well ours must do. */
export interface Bench {
  readonly name: string;
  /** A sentence for the report. */
  readonly measures: string;
  run(place: Place, size: Size): Promise<Outcome>;
}

/** How much is measured: enough to tell, or just enough to see that everything works. */
export interface Size {
  readonly quick: boolean;
  /** Of each contender, alternating. */
  readonly rounds: number;
  /** Messages that `growth` stores at most; undefined = as it sees fit. */
  readonly to?: number | undefined;
}

export interface Outcome {
  readonly columns: readonly string[];
  readonly rows: readonly (readonly string[])[];
  /** For the last line: `ratio_to_limit`, `rate_of_limit`, `times_faster_than_plain`, `rss_growth_mb`, `growth_ratio`, … */
  readonly figures: Readonly<Record<string, number>>;
  readonly goals: readonly Goal[];
  /** How it was measured, and what the figures do not tell. */
  readonly notes: readonly string[];
  /** Where our processor time goes, when it was profiled; printed, not kept in the report. */
  readonly profile?: readonly string[] | undefined;
}

export interface Goal {
  readonly goal: string;
  readonly measured: string;
  readonly met: boolean;
}

export function atMost(what: string, value: number, limit: number, unit = ''): Goal {
  return { goal: `${what} ≤ ${limit}${unit}`, measured: `${shown(value)}${unit}`, met: value <= limit };
}

export function atLeast(what: string, value: number, limit: number, unit = ''): Goal {
  return { goal: `${what} ≥ ${limit}${unit}`, measured: `${shown(value)}${unit}`, met: value >= limit };
}

/** Two digits after the point, none from 100 on. */
export function shown(value: number): string {
  return Math.abs(value) >= 100 ? value.toFixed(0) : value.toFixed(2);
}
