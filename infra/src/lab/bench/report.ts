import { mkdirSync, writeFileSync } from 'node:fs';
import { arch, cpus, platform, release, totalmem } from 'node:os';
import { join } from 'node:path';
import { repository } from '../../../../tools/local-state.mjs';
import type { Bench, Outcome } from './bench.js';

/** The table as text, for a terminal. */
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

/** The last line of a run. */
export function jsonLine(name: string, { figures }: Outcome): string {
  return JSON.stringify({ name, ...figures });
}

/** Writes docs/results/bench-NAME.md, over the one of the last run. @returns its path in the repository */
export function writeReport(bench: Bench, outcome: Outcome, postgres: string): string {
  const path = `docs/results/bench-${bench.name}.md`;
  mkdirSync(join(repository, 'docs', 'results'), { recursive: true });
  writeFileSync(join(repository, path), page(bench, outcome, postgres));
  return path;
}

function page({ name, measures }: Bench, outcome: Outcome, postgres: string): string {
  const { columns, rows, goals, notes, profile } = outcome;
  const row = (cells: readonly string[]) => `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`;
  return [
    `# bench ${name}`,
    '',
    measures,
    '',
    `\`npm run bench -- ${name}\`, ${new Date().toISOString().slice(0, 16).replace('T', ' ')} UTC. ${machine(postgres)}`,
    '',
    row(columns),
    row(columns.map((_, column) => (column === 0 ? '---' : '---:'))),
    ...rows.map(row),
    '',
    row(['goal', 'measured', '']),
    row(['---', '---', '---']),
    ...goals.map(({ goal, measured, met }) => row([goal, measured, met ? 'met' : '**not met**'])),
    '',
    ...notes.map((note) => `- ${note}`),
    ...(profile
      ? ['', 'Where the processor’s time of ours goes (V8’s profiler, self time, idle left out):', '', '```']
      : []),
    ...(profile ? [...profile, '```'] : []),
    '',
    '```json',
    jsonLine(name, outcome),
    '```',
    '',
  ].join('\n');
}

function machine(postgres: string): string {
  const [first] = cpus();
  return [
    `${cpus().length} × ${first?.model.trim() ?? 'processor'}, ${Math.round(totalmem() / 1e9)} GB, ${platform()} ${release()} ${arch()}`,
    `Node ${process.versions.node}, PostgreSQL ${postgres} (fsync on), everything on this one machine.`,
  ].join('; ');
}
