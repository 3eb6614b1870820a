import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { repository } from '../../../../tools/local-state.mjs';
import { machine, resultLines, today } from '../results/form.js';
import type { Bench, Outcome, Size } from './bench.js';

/** The table for a terminal. */
export function textTable({ columns, rows }: Outcome): string {
  const all = [columns, ...rows];
  const widths = columns.map((_, column) => Math.max(...all.map((row) => (row[column] ?? '').length)));
  const line = (row: readonly string[]) =>
    row
      .map((cell, column) => (column === 0 ? cell.padEnd(widths[0] ?? 0) : cell.padStart(widths[column] ?? 0)))
      .join('  ');
  return all.map(line).join('\n');
}

export function goalLines({ goals }: Outcome): string[] {
  return goals.map(({ goal, measured, met }) => `${met ? 'met    ' : 'not met'}  ${goal}: ${measured}`);
}

/** Where our processor time went, for a terminal; empty if not profiled. */
export function profileLines({ profile }: Outcome): string[] {
  return profile ? ['Processor time of ours (V8’s profiler, self time, without idle):', ...profile, ''] : [];
}

/** The last line of output. */
export function jsonLine(name: string, { figures }: Outcome): string {
  return JSON.stringify({ name, ...figures });
}

/** Writes its page in docs/results, and more pages if there are. @returns its path in the repository */
export function writeReport(bench: Bench, size: Size, outcome: Outcome, postgres: string): string {
  const path = `docs/results/${bench.page ?? `bench-${bench.name}.md`}`;
  const folder = join(repository, 'docs', 'results');
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(repository, path), reportOf(bench, size, outcome, postgres));
  for (const [name, text] of Object.entries(outcome.pages ?? {})) writeFileSync(join(folder, name), text);
  return path;
}

/** Its page of docs/results. */
export function reportOf({ name, measures }: Bench, { to }: Size, outcome: Outcome, postgres: string): string {
  const { columns, rows, goals, noGoals, notes } = outcome;
  const row = (cells: readonly string[]) => `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`;
  return [
    `# bench ${name}`,
    '',
    measures,
    '',
    ...resultLines({
      run: [`npm run bench -- ${name}${to === undefined ? '' : ` --to ${to}`}`],
      on: today(machine(postgres)),
      goals,
      noGoals,
    }),
    '',
    row(columns),
    row(columns.map((_, column) => (column === 0 ? '---' : '---:'))),
    ...rows.map(row),
    '',
    ...notes.map((note) => `- ${note}`),
    '',
    `\`${jsonLine(name, outcome)}\``,
    '',
  ].join('\n');
}
