import type { Finding, Phase } from './run.js';

const HEAD = ['phase', 'seconds', 'deliveries', 'median ms', 'longest ms', 'calls', 'not answered'];
/** Always counted; the others when there are any. */
const COUNTED = ['lost', 'twice', 'stuck'];

/** A Markdown table with a row per phase. */
export function tableOf(phases: readonly Phase[]): string {
  const rows = phases.map(({ name, seconds, deliveries, took, calls, refused }) => {
    const sorted = took.toSorted((one, other) => one - other);
    const [median = 0, longest = 0] = [sorted[Math.floor(sorted.length / 2)], sorted.at(-1)];
    return [name, ...[seconds, deliveries, Math.round(median), Math.round(longest), calls, refused].map(String)];
  });
  const widths = HEAD.map((title, column) => Math.max(title.length, ...rows.map((row) => row[column]?.length ?? 0)));
  const line = (row: readonly string[]) =>
    `| ${row.map((cell, column) => (column === 0 ? cell.padEnd(widths[0] ?? 0) : cell.padStart(widths[column] ?? 0))).join(' | ')} |`;
  const rule = widths.map((width, column) => (column === 0 ? '-'.repeat(width) : `${'-'.repeat(width - 1)}:`));
  return [line(HEAD), `| ${rule.join(' | ')} |`, ...rows.map(line)].join('\n');
}

/** `lost 0, twice 0, stuck 0` */
export function summaryOf(findings: readonly Finding[]): string {
  const verdicts = new Set([...COUNTED, ...findings.map(({ verdict }) => verdict)]);
  return [...verdicts].map((each) => `${each} ${findings.filter(({ verdict }) => verdict === each).length}`).join(', ');
}
