import type { Sample } from './samples.js';

/** A time in which nothing was restarted, in seconds since sampling began. */
export interface Window {
  readonly name: string;
  readonly from: number;
  readonly to: number;
}

/** How a figure went in a window: the median of its first third after the warm-up, and of its last third. */
export interface Trend {
  readonly window: string;
  /** `receiver RSS`, `connections`. */
  readonly what: string;
  readonly unit: 'MiB' | '';
  readonly first: number;
  readonly last: number;
  readonly most: number;
  readonly isFlat: boolean;
}

/** What a figure may grow by: a share of it, and so much in any case. */
interface Allowance {
  readonly share: number;
  readonly least: number;
}

/** Of a window, at its beginning: heaps and pools get their size. */
const WARM_UP = 0.25;
const FEWEST_SAMPLES = 9;
const RSS: Allowance = { share: 0.15, least: 24 };
const COUNT: Allowance = { share: 0.15, least: 10 };
/** Jobs that wait come and go. */
const JOBS: Allowance = { share: 0.25, least: 1_000 };

/** Whether what should stay the same stays the same in each window, of the processes that are there for all of it. */
export function judge(samples: readonly Sample[], windows: readonly Window[]): Trend[] {
  return windows.flatMap((window) => {
    const warm = window.from + (window.to - window.from) * WARM_UP;
    const inside = samples.filter(({ at }) => at >= warm && at <= window.to);
    if (inside.length < FEWEST_SAMPLES) return [];
    const trend = (what: string, unit: Trend['unit'], values: readonly number[], allowance: Allowance) =>
      trendOf({ window: window.name, what, unit }, values, allowance);
    const stayed = (inside[0]?.processes ?? []).filter(({ pid }) =>
      inside.every(({ processes }) => processes.some((each) => each.pid === pid)),
    );
    const ofProcess = (pid: number, figure: 'rssMiB' | 'handles') =>
      inside.map(({ processes }) => processes.find((each) => each.pid === pid)?.[figure] ?? 0);
    return [
      ...stayed.flatMap(({ pid, service }) => [
        trend(`${service}: RSS`, 'MiB', ofProcess(pid, 'rssMiB'), RSS),
        trend(`${service}: handles`, '', ofProcess(pid, 'handles'), COUNT),
      ]),
      trend(
        'connections to PostgreSQL',
        '',
        inside.map(({ connections }) => connections),
        COUNT,
      ),
      trend(
        'rows of the queues',
        '',
        inside.map(({ jobs }) => jobs),
        JOBS,
      ),
    ];
  });
}

function trendOf(
  named: Pick<Trend, 'window' | 'what' | 'unit'>,
  values: readonly number[],
  { share, least }: Allowance,
): Trend {
  const third = Math.floor(values.length / 3);
  const [first, last] = [medianOf(values.slice(0, third)), medianOf(values.slice(-third))];
  return { ...named, first, last, most: Math.max(...values), isFlat: last - first <= Math.max(least, first * share) };
}

function medianOf(values: readonly number[]): number {
  const sorted = values.toSorted((one, other) => one - other);
  return sorted[Math.floor(sorted.length / 2)] as number;
}
