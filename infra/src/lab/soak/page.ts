import { atLeast } from '../bench/bench.js';
import type { Interruption } from '../dubu/caseworkers.js';
import { machine, none, resultLines, today } from '../results/form.js';
import type { Trend } from './flat.js';
import type { SoakOutcome } from './run.js';

const MS_A_SECOND = 1_000;
const BYTES_A_KB = 1_000;
const BYTES_A_GB = 1_000_000_000;
const LOSSES = ['lost', 'twice', 'stuck'];

export interface PageOf {
  readonly command: string;
  readonly rate: number;
  readonly municipalities: number;
  readonly postgres: string;
}

/** The page docs/results/soak.md. */
export function soakPage(outcome: SoakOutcome, { command, rate, municipalities, postgres }: PageOf): string {
  const { findings, seconds, sent, core } = outcome;
  const losses = findings.filter(({ verdict }) => LOSSES.includes(verdict)).length;
  const grown = outcome.trends.filter(({ isFlat }) => !isFlat).length;
  const perSecond = sent.sent / seconds;
  return [
    '# Soak',
    '',
    ...resultLines({
      run: [command],
      on: today(machine(postgres)),
      goals: [
        none(LOSSES.join(', '), losses),
        none('figures that grew', grown),
        none('other findings', findings.length - losses - grown),
        atLeast('letters acknowledged a second', sent.acknowledged / seconds, rate * 0.99),
      ],
    }),
    '',
    `Two copies of each service behind a balancer, ${municipalities} municipalities, PostgreSQL with the queues in it. The [simulator](../simulator.md)`,
    'sends; a simulated core follows the feed of each municipality, gets webhooks in one of eight, and has 40 caseworkers. Simulator, core',
    'and balancer share the machine with all of it. In the end every letter is accounted for by its id.',
    '',
    ...table(
      ['', ''],
      [
        ['time under load', `${(seconds / 60).toFixed(0)} min`],
        ['letters sent', String(sent.sent)],
        ['acknowledged', String(sent.acknowledged)],
        ['sent again', String(sent.resent)],
        ['a second, on average', perSecond.toFixed(1)],
        ['of 60 to 99.5 MB', String(outcome.largeLetters)],
        [
          'receipts, ms',
          `p50 ${sent.took.p50}, p95 ${sent.took.p95}, p99 ${sent.took.p99}, longest ${sent.took.longest}`,
        ],
        ['content sent', `${(sent.bytes / BYTES_A_GB).toFixed(1)} GB`],
        ['all done after the last letter', `${outcome.quietAfterSeconds.toFixed(0)} s`],
        ['changes by caseworkers', String(core.changes)],
        ['events of the feed', String(core.committed.length)],
        ['webhooks delivered', String(core.webhooks)],
        ['calls cut off by what was done to it', String(count(outcome, 'away'))],
        ['letters that a colleague was at', String(count(outcome, 'colleague'))],
        ['files that belong to nothing, before anything was killed', String(outcome.orphans.before)],
        ['and in the end, which are removed a month later', String(outcome.orphans.end)],
        ['database', `${(outcome.databaseBytes / BYTES_A_GB).toFixed(1)} GB`],
        ['database for a letter', `${(outcome.databaseBytes / sent.sent / BYTES_A_KB).toFixed(1)} kB`],
      ],
    ),
    '',
    '## What caseworkers did',
    '',
    ...table(
      ['', 'times'],
      [...core.done].map(([deed, times]) => [deed, String(times)]),
    ),
    '',
    '## What was done to it',
    '',
    ...table(
      ['minute', ''],
      outcome.disturbances.map(({ at, what }) => [(at / 60).toFixed(1), what]),
    ),
    '',
    '## What stayed flat',
    '',
    'Median of the first third and of the last third of each undisturbed time, after its first quarter; of each copy that ran all the time.',
    '',
    ...table(['', 'before', 'after', 'flat'], trendRows(outcome.trends)),
    '',
    '## Processor time',
    '',
    ...table(
      ['part', 'ms for a letter', 'processors'],
      [...outcome.cpu].map(([part, ms]) => [
        part,
        (ms / sent.sent).toFixed(1),
        (ms / (seconds * MS_A_SECOND)).toFixed(2),
      ]),
    ),
    '',
    ...(findings.length > 0
      ? ['## Found', '', ...findings.map(({ verdict, what }) => `- ${verdict}: ${what}`), '']
      : []),
    ...(outcome.warnings.size > 0
      ? [
          '## Warnings in the logs',
          '',
          ...[...outcome.warnings].map(([what, times]) => `- ${what}: ${times} times`),
          '',
        ]
      : []),
  ].join('\n');
}

function count({ core }: SoakOutcome, by: Interruption['by']): number {
  return core.interruptions.filter((each) => each.by === by).length;
}

/** A row for each figure, with all copies of a service in it. */
function trendRows(trends: readonly Trend[]): string[][] {
  return [...new Set(trends.map(({ what }) => what))].map((what) => {
    const all = trends.filter((trend) => trend.what === what);
    const shown = (window: string) =>
      all
        .filter((trend) => trend.window === window)
        .map(shownTrend)
        .join('; ');
    return [what, shown('before'), shown('after'), all.every(({ isFlat }) => isFlat) ? 'yes' : '**no**'];
  });
}

function shownTrend({ first, last, unit }: Trend): string {
  return `${first.toFixed(0)} → ${last.toFixed(0)}${unit && ` ${unit}`}`;
}

/** In Markdown; columns after the first are to the right. */
function table(head: readonly string[], rows: readonly (readonly string[])[]): string[] {
  const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |`;
  return [line(head), line(head.map((_, column) => (column === 0 ? '---' : '---:'))), ...rows.map(line)];
}
