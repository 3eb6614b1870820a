import type { Outcome } from './harness.js';
import { KILLS, type Kill } from './kills.js';
import { type Ledger, VERDICTS, type Verdict } from './ledger.js';

const HEAD = ['point', 'runs', 'kills', 'memos', 'receipts', ...VERDICTS] as const;

/** A Markdown table with a row per kind of kill. */
export function tableOf({ ledger, runs }: Outcome): string {
  const cells = KILLS.filter((kill) => runs.has(kill)).map((kill) => rowOf(kill, { ledger, runs }));
  const sums = HEAD.slice(1).map((_, column) => cells.reduce((sum, row) => sum + Number(row[column + 1]), 0));
  const rows = [[...HEAD], ...cells, ['all', ...sums.map(String)]];
  const widths = HEAD.map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  const lines = rows.map((row) =>
    row.map((cell, column) => (column === 0 ? cell.padEnd(widths[0] ?? 0) : cell.padStart(widths[column] ?? 0))),
  );
  const rule = widths.map((width, column) => (column === 0 ? '-'.repeat(width) : `${'-'.repeat(width - 1)}:`));
  return [lines[0], rule, ...lines.slice(1)].map((line) => `| ${line?.join(' | ')} |`).join('\n');
}

function rowOf(kill: Kill, { ledger, runs }: Outcome): string[] {
  const memos = ledger.sent.filter((memo) => memo.kill === kill);
  const { runs: ofKind, kills } = runs.get(kill) ?? { runs: 0, kills: 0 };
  const receipts = memos.reduce((sum, memo) => sum + memo.receipts.size, 0);
  const found = VERDICTS.map((verdict) => countOf(ledger, verdict, kill));
  return [kill, ...[ofKind, kills, memos.length, receipts, ...found].map(String)];
}

export function countOf(ledger: Ledger, verdict: Verdict, kill?: Kill): number {
  return ledger.findings.filter((finding) => finding.verdict === verdict && (!kill || finding.kill === kill)).length;
}

/** `lost 0, twice 0, stuck 0, half 0, back 0` */
export function summaryOf(ledger: Ledger): string {
  return VERDICTS.map((verdict) => `${verdict} ${countOf(ledger, verdict)}`).join(', ');
}
