import { performance } from 'node:perf_hooks';

export interface Contender {
  readonly name: string;
  /** Runs one round. @returns milliseconds or a rate */
  measure(): Promise<number>;
  /** Fewer rounds for a slow contender. */
  readonly rounds?: number;
}

/**
 * Measures the contenders in turn (A B A B …), so that other work on the machine affects all of them alike. The first
 * `warmUps` rounds do not count.
 *
 * @returns the measurements of a contender, by name, in order
 */
export async function alternate(
  contenders: readonly Contender[],
  rounds: number,
  warmUps = 1,
): Promise<(name: string) => number[]> {
  const measured = new Map(contenders.map(({ name }) => [name, [] as number[]]));
  for (let round = -warmUps; round < rounds; round += 1) {
    for (const { name, measure, rounds: own = rounds } of contenders) {
      if (round >= own) continue;
      const value = await measure();
      if (round >= 0) measured.get(name)?.push(value);
    }
  }
  return (name) => measured.get(name) ?? [];
}

export async function millisecondsOf(work: () => Promise<unknown>): Promise<number> {
  const began = performance.now();
  await work();
  return performance.now() - began;
}

export function median(values: readonly number[]): number {
  return percentile(values, 50);
}

/** The value that `percent` percent of the values do not exceed, interpolated. */
export function percentile(values: readonly number[], percent: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  if (sorted.length === 0) return Number.NaN;
  const at = (percent / 100) * (sorted.length - 1);
  const [low, high] = [sorted[Math.floor(at)] as number, sorted[Math.ceil(at)] as number];
  return low + (high - low) * (at - Math.floor(at));
}

export const rounded = (value: number, digits = 2): number => Number(value.toFixed(digits));

/** `412 (398–455)`: median, minimum and maximum. */
export function spread(values: readonly number[], digits = 0): string {
  const [low, high] = [Math.min(...values), Math.max(...values)];
  return `${median(values).toFixed(digits)} (${low.toFixed(digits)}–${high.toFixed(digits)})`;
}
