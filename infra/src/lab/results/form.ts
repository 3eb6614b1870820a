import { cpus, platform, release, totalmem } from 'node:os';
import type { Goal } from '../bench/bench.js';

// The form in which every page of docs/results states what was run, on what, and which goals were met. `npm run results`
// reads it back (read.ts) and refuses any other.

/** What a page of docs/results says in that form. */
export interface Result {
  /** The commands that were run, without backquotes. (A page written by hand may say `no command: WHY`.) */
  readonly run: readonly [string, ...string[]];
  /** Date and machine, as of `today(machine())`. */
  readonly on: string;
  readonly goals: readonly Goal[];
  /** Why there are none. */
  readonly noGoals?: string | undefined;
}

/**
 * The lines of a page's result, a list in Markdown. Nothing of it may contain a line break.
 *
 * @throws Error when there are no goals and no reason why, or both
 */
export function resultLines({ run, on, goals, noGoals }: Result): string[] {
  if ((goals.length === 0) !== (noGoals !== undefined)) throw new Error('A result has goals, or says why it has none.');
  return [
    `- run: ${run.map((command) => `\`${command}\``).join(', ')}`,
    `- on: ${on}`,
    ...goals.map(goalLine),
    ...(noGoals === undefined ? [] : [`- no goals: ${noGoals}`]),
  ];
}

function goalLine({ goal, measured, met }: Goal): string {
  return `- ${met ? 'met' : '**not met**'}: ${goal}: ${measured}`;
}

/** The goal that something is never found, such as `lost, twice, stuck`. */
export function none(what: string, count: number): Goal {
  return { goal: `${what} ≤ 0`, measured: String(count), met: count === 0 };
}

/** This machine: processors, memory, system, Node, and PostgreSQL if its version is given. */
export function machine(postgres?: string): string {
  const model = cpus()[0]?.model.trim() ?? 'processor';
  const [kernel] = release().split('-');
  return [
    `${cpus().length} × ${model}`,
    `${Math.round(totalmem() / 2 ** 30)} GiB`,
    `${platform()} ${kernel}`,
    `Node ${process.versions.node}`,
    ...(postgres ? [`PostgreSQL ${postgres}`] : []),
  ].join(', ');
}

/** The date in UTC, and where. */
export function today(where: string): string {
  return `${new Date().toISOString().slice(0, 10)}, ${where}`;
}
