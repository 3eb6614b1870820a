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
  /** `receiver: RSS`, `connections to PostgreSQL`. */
  readonly what: string;
  readonly unit: 'MiB' | '';
  readonly first: number;
  readonly last: number;
  readonly isFlat: boolean;
}

export interface Judgement {
  readonly trends: readonly Trend[];
  /** What could not be judged, in words. */
  readonly missing: readonly string[];
}

/** Of a window, at its beginning: heaps and pools get their size. */
const WARM_UP = 0.25;
const FEWEST_SAMPLES = 9;
const LONG_SECONDS = 20 * 60;
/** What RSS may grow by, in MiB. In its first three minutes under load a receiver was seen to grow from 146 to 279: V8 sizes its heap. */
const RSS = { inLong: 12, inShort: 64 };
/** Files and sockets: a caller has up to 64 connections, which come and go. */
const HANDLES = { inLong: 24, inShort: 64 };
const CONNECTIONS = 10;
/** Jobs that wait come and go. */
const JOBS = 100;

/** Whether what should stay the same stays the same in each window, of the processes that are there for all of it. */
export function judge(samples: readonly Sample[], windows: readonly Window[]): Judgement {
  const judged = windows.map((window) => judgeWindow(samples, window));
  return { trends: judged.flatMap(({ trends }) => trends), missing: judged.flatMap(({ missing }) => missing) };
}

function judgeWindow(samples: readonly Sample[], { name, from, to }: Window): Judgement {
  const inside = samples.filter(({ at }) => at >= from + (to - from) * WARM_UP && at <= to);
  const services = new Set(samples.flatMap(({ processes }) => processes.map(({ service }) => service)));
  if (inside.length < FEWEST_SAMPLES) return { trends: [], missing: [`${name}: ${inside.length} samples`] };
  const trend = (what: string, unit: Trend['unit'], values: readonly number[], mayGrowBy: number): Trend => {
    const third = Math.floor(values.length / 3);
    const [first, last] = [medianOf(values.slice(0, third)), medianOf(values.slice(-third))];
    return { window: name, what, unit, first, last, isFlat: last - first <= mayGrowBy };
  };
  const stayed = (inside[0]?.processes ?? []).filter(({ pid }) =>
    inside.every(({ processes }) => processes.some((each) => each.pid === pid)),
  );
  const ofProcess = (pid: number, figure: 'rssMiB' | 'handles') =>
    inside.map(({ processes }) => processes.find((each) => each.pid === pid)?.[figure] ?? 0);
  const length = to - from >= LONG_SECONDS ? 'inLong' : 'inShort';
  return {
    trends: [
      ...stayed.flatMap(({ pid, service }) => [
        trend(`${service}: RSS`, 'MiB', ofProcess(pid, 'rssMiB'), RSS[length]),
        trend(`${service}: handles`, '', ofProcess(pid, 'handles'), HANDLES[length]),
      ]),
      trend(
        'connections to PostgreSQL',
        '',
        inside.map(({ connections }) => connections),
        CONNECTIONS,
      ),
      trend(
        'rows of the queues',
        '',
        inside.map(({ jobs }) => jobs),
        JOBS,
      ),
    ],
    missing: [...services]
      .filter((service) => !stayed.some((process) => process.service === service))
      .map((service) => `${name}: no ${service} ran all the time`),
  };
}

function medianOf(values: readonly number[]): number {
  const sorted = values.toSorted((one, other) => one - other);
  return sorted[Math.floor(sorted.length / 2)] as number;
}
