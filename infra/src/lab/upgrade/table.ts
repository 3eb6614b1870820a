import type { Seen } from './traffic.js';

export interface Phase extends Seen {
  readonly name: string;
  readonly seconds: number;
}

/** A Markdown table with a row per phase. @param refused how its last column is called */
export function tableOf(phases: readonly Phase[], refused = 'refused'): string {
  const head = ['phase', 'seconds', 'deliveries', 'median ms', 'longest ms', 'calls', refused];
  const rows = phases.map(({ name, seconds, deliveries, took, calls, refused }) => {
    const sorted = took.toSorted((one, other) => one - other);
    const [median = 0, longest = 0] = [sorted[Math.floor(sorted.length / 2)], sorted.at(-1)];
    return [name, ...[seconds, deliveries, Math.round(median), Math.round(longest), calls, refused].map(String)];
  });
  const widths = head.map((title, column) => Math.max(title.length, ...rows.map((row) => row[column]?.length ?? 0)));
  const lines = [head, widths.map((width) => '-'.repeat(width)), ...rows].map((row) =>
    row.map((cell, column) => (column === 0 ? cell.padEnd(widths[0] ?? 0) : cell.padStart(widths[column] ?? 0))),
  );
  return lines.map((line) => `| ${line.join(' | ')} |`).join('\n');
}
