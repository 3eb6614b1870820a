import { performance } from 'node:perf_hooks';

/** One of those that are measured side by side. */
export interface Contender {
  readonly name: string;
  /** @returns what one round gives: milliseconds, or a rate */
  measure(): Promise<number>;
  /** Rounds of this one, when it is so slow that all would take too long. */
  readonly rounds?: number;
}

/**
 * Measures the contenders in turn, round after round (A B A B …), after one round of each that does not count. So what the
 * machine does meanwhile hits all of them alike.
 *
 * @returns what each gave, by name, in the order of the rounds
 */
export async function alternate(
  contenders: readonly Contender[],
  rounds: number,
  warmUps = 1,
): Promise<(name: string) => number[]> {
  const given = new Map(contenders.map(({ name }) => [name, [] as number[]]));
  for (let round = -warmUps; round < rounds; round += 1) {
    for (const { name, measure, rounds: own = rounds } of contenders) {
      if (round >= own) continue;
      const value = await measure();
      if (round >= 0) given.get(name)?.push(value);
    }
  }
  return (name) => given.get(name) ?? [];
}

export async function millisecondsOf(work: () => Promise<unknown>): Promise<number> {
  const began = performance.now();
  await work();
  return performance.now() - began;
}

export function median(values: readonly number[]): number {
  return percentile(values, 50);
}

/** The value that so many percent of the values do not exceed; of two in the middle their mean. */
export function percentile(values: readonly number[], percent: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  if (sorted.length === 0) return Number.NaN;
  const at = (percent / 100) * (sorted.length - 1);
  const [low, high] = [sorted[Math.floor(at)] as number, sorted[Math.ceil(at)] as number];
  return low + (high - low) * (at - Math.floor(at));
}

export const rounded = (value: number, digits = 2): number => Number(value.toFixed(digits));

/** `412 (398–455)`: the median, and between what the rounds lay. */
export function spread(values: readonly number[], digits = 0): string {
  const [low, high] = [Math.min(...values), Math.max(...values)];
  return `${median(values).toFixed(digits)} (${low.toFixed(digits)}–${high.toFixed(digits)})`;
}
