import type { Place } from './place.js';

/** A benchmark: what it measures, against what, and the goals. */
export interface Bench {
  readonly name: string;
  /** A sentence for the report. */
  readonly measures: string;
  /** The name of its page in docs/results; default: bench-NAME.md. */
  readonly page?: string;
  /** The process fails when a goal is not met: what is measured does not depend on the machine. */
  readonly mustMeetGoals?: true;
  run(place: Place, size: Size): Promise<Outcome>;
}

/** How much is measured. */
export interface Size {
  /** Only checks that everything works. */
  readonly quick: boolean;
  /** Alternating rounds of each contender. */
  readonly rounds: number;
  /** Messages that `growth`, `inbox` or `scrub` stores; undefined = its default. */
  readonly to?: number | undefined;
}

export interface Outcome {
  readonly columns: readonly string[];
  readonly rows: readonly (readonly string[])[];
  /** For the last line: `ratio_to_limit`, `rate_of_limit`, `times_faster_than_plain`, `rss_growth_mb`, `growth_ratio`, … */
  readonly figures: Readonly<Record<string, number>>;
  readonly goals: readonly Goal[];
  /** Why there are none. */
  readonly noGoals?: string;
  /** How it was measured, and limits of the figures. */
  readonly notes: readonly string[];
  /** Where our processor time goes, if profiled; printed, but not in the report. */
  readonly profile?: readonly string[] | undefined;
  /** More pages of docs/results, by file name; written with the report. */
  readonly pages?: Readonly<Record<string, string>>;
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

/** Two decimals, none from 100 on. */
export function shown(value: number): string {
  return Math.abs(value) >= 100 ? value.toFixed(0) : value.toFixed(2);
}
