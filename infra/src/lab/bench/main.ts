import { parseArgs } from 'node:util';
import { INTERRUPTED } from '@indbakke/shared/service';
import { abortedByCtrlC } from '../../local/ctrl-c.js';
import { runSql } from '../../testkit/database.js';
import type { Bench, Outcome, Size } from './bench.js';
import { BENCHES, ON_REQUEST } from './benches.js';
import { Place, type Site, withSite } from './place.js';
import { goalLines, jsonLine, profileLines, textTable, writeReport } from './report.js';

const MIN_TO = 1_000;

const linesOf = (benches: readonly Bench[]) =>
  benches.map(({ name, measures }) => `  ${name.padEnd(16)}${measures}`).join('\n');

const USAGE = `npm run bench -- NAME… | all [--quick] [--to MESSAGES]

${linesOf(BENCHES)}

Not with all:
${linesOf(ON_REQUEST)}

--quick takes a minute for all, writes no report, and only checks that everything works.
--to: messages that growth, inbox or scrub stores, at least ${MIN_TO}, by default 100000, 5000000 and 500000. Ten million of growth take
half an hour and 45 GB, five million of inbox as long and 25 GB.`;

process.exitCode = await main();
process.exit();

async function main(): Promise<number> {
  const chosen = readArguments();
  if (!chosen) return 2;
  const signal = abortedByCtrlC();
  const lines: string[] = [];
  let failed = false;
  try {
    await withSite(signal, async (site) => {
      for (const bench of chosen.benches) {
        const outcome = await runOne(bench, chosen.size, site);
        lines.push(jsonLine(bench.name, outcome));
        if (bench.mustMeetGoals && !outcome.goals.every(({ met }) => met)) failed = true;
      }
    });
  } catch (error) {
    process.stderr.write(
      signal.aborted ? 'bench: interrupted; everything it created is removed\n' : `bench: ${(error as Error).stack}\n`,
    );
    return signal.aborted ? INTERRUPTED : 1;
  }
  process.stdout.write(`${lines.join('\n')}\n`);
  return failed ? 1 : 0;
}

function readArguments(): { benches: Bench[]; size: Size } | undefined {
  try {
    const { values, positionals } = parseArgs({
      allowPositionals: true,
      options: { quick: { type: 'boolean' }, to: { type: 'string' } },
    });
    const quick = values.quick ?? false;
    const to = values.to === undefined ? undefined : Number(values.to);
    const toIsValid = to === undefined || (Number.isInteger(to) && to >= MIN_TO);
    const every = [...BENCHES, ...ON_REQUEST];
    const wanted = positionals.flatMap((name) => (name === 'all' ? BENCHES.map((bench) => bench.name) : [name]));
    const benches = every.filter(({ name }) => wanted.includes(name));
    if (benches.length > 0 && toIsValid && wanted.every((name) => every.some((bench) => bench.name === name))) {
      return { benches, size: { quick, rounds: quick ? 1 : 3, to } };
    }
  } catch {
    // reported below
  }
  process.stderr.write(`${USAGE}\n`);
  return undefined;
}

async function runOne(bench: Bench, size: Size, site: Site): Promise<Outcome> {
  process.stdout.write(`${bench.name}: ${bench.measures}\n`);
  const { outcome, postgres } = await Place.in(site, async (place) => ({
    outcome: await bench.run(place, size),
    postgres: await versionOf(place.database.ownerUrl),
  }));
  process.stdout.write(
    `\n${[textTable(outcome), '', ...goalLines(outcome), '', ...profileLines(outcome)].join('\n')}\n`,
  );
  if (!size.quick) process.stdout.write(`${writeReport(bench, size, outcome, postgres)}\n\n`);
  return outcome;
}

async function versionOf(url: string): Promise<string> {
  const [row] = await runSql<{ server_version: string }>(url, 'SHOW server_version');
  return row?.server_version ?? '';
}
