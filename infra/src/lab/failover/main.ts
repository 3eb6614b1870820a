import { randomInt } from 'node:crypto';
import { parseArgs } from 'node:util';
import { INTERRUPTED } from '@indbakke/shared/service';
import { abortedByCtrlC } from '../../local/ctrl-c.js';
import type { Ledger } from '../crash/ledger.js';
import { summaryOf } from '../crash/table.js';
import { failOverPostgres } from './postgresql.js';
import { moveQueue } from './queue-move.js';
import { failOverRedisCluster } from './redis-cluster.js';
import { failOverRedisSentinel } from './redis-sentinel.js';

/** What is failed over, by the name of its engine. */
const ENGINES: Readonly<Record<string, (plan: FailoverPlan) => Promise<FailoverOutcome>>> = {
  postgresql: (plan) => failOverPostgres(plan),
  'postgresql-asynchronous': (plan) => failOverPostgres(plan, false),
  'redis-cluster': failOverRedisCluster,
  'redis-sentinel': failOverRedisSentinel,
  'queue-move': moveQueue,
};

const USAGE = `npm run failover -- ENGINE [--rounds N] [--seed S]   fails it over N times under load (default 6), and compares
Engines: ${Object.keys(ENGINES).join(', ')}`;

export interface FailoverPlan {
  readonly rounds: number;
  readonly seed: number;
  readonly signal: AbortSignal;
  readonly report: (line: string) => void;
}

/** What happened in a round, by the title of its column. */
export type FailoverRow = Readonly<Record<string, string | number>>;

export interface FailoverOutcome {
  readonly rows: readonly FailoverRow[];
  readonly ledger: Ledger;
}

const MAX_FINDINGS_SHOWN = 40;

const print = (line: string) => process.stdout.write(`${line}\n`);

class BadArgument extends Error {}

/** @returns whether nothing was lost, stored twice or is stuck */
async function failOver(signal: AbortSignal): Promise<boolean> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      rounds: { type: 'string', default: '6' },
      seed: { type: 'string', default: String(randomInt(1_000_000)) },
    },
  });
  const [name = '', ...others] = positionals;
  const engine = ENGINES[name];
  if (!engine || others.length > 0) throw new BadArgument(`Name one engine: ${Object.keys(ENGINES).join(', ')}.`);
  for (const [option, text] of Object.entries(values))
    if (!/^\d{1,9}$/.test(text)) throw new BadArgument(`--${option} is a whole number, not "${text}".`);
  const plan = { rounds: Math.max(1, Number(values.rounds)), seed: Number(values.seed) };
  print(`failover of ${name}: ${plan.rounds} rounds, seed ${plan.seed}`);
  const report = (line: string) => process.stderr.write(`${line}\n`);
  const { rows, ledger } = await engine({ ...plan, signal, report });
  for (const { verdict, run, what } of ledger.findings.slice(0, MAX_FINDINGS_SHOWN))
    print(`${verdict}: round ${run + 1}: ${what}`);
  print(`\n${tableOf(rows)}\n`);
  print(summaryOf(ledger));
  return ledger.findings.length === 0;
}

function tableOf(rows: readonly FailoverRow[]): string {
  const titles = [...new Set(rows.flatMap((row) => Object.keys(row)))];
  const head = ['round', ...titles];
  const cells = rows.map((row, round) => [round + 1, ...titles.map((title) => row[title] ?? '')].map(String));
  const widths = head.map((title, column) => Math.max(title.length, ...cells.map((row) => row[column]?.length ?? 0)));
  return [head, widths.map((width) => '-'.repeat(width)), ...cells]
    .map((row) => `| ${row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join(' | ')} |`)
    .join('\n');
}

const signal = abortedByCtrlC();
try {
  process.exitCode = (await failOver(signal)) ? 0 : 1;
} catch (error) {
  const { code, message, stack } = error as NodeJS.ErrnoException;
  const isOfArguments = error instanceof BadArgument || code?.startsWith('ERR_PARSE_ARGS');
  if (signal.aborted) process.stderr.write('failover: interrupted; everything it created is removed\n');
  else process.stderr.write(isOfArguments ? `${message}\n\n${USAGE}\n` : `${stack ?? message}\n`);
  process.exitCode = signal.aborted ? INTERRUPTED : 1;
}
process.exit();
