import { randomInt } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { INTERRUPTED } from '@indbakke/shared/service';
import { repository } from '../../../../tools/local-state.mjs';
import { rejectOptionsTakenByNpm } from '../../local/command.js';
import { abortedByCtrlC } from '../../local/ctrl-c.js';
import { Stage, withPostgres } from '../crash/stage.js';
import { lastRelease, setUpBy, takeVersion, thisVersion } from '../upgrade/version.js';
import { soakPage } from './page.js';
import { playSoak, type SoakOutcome } from './run.js';

const USAGE = `npm run soak -- [--hours H] [--rate N] [--municipalities N] [--from REF] [--seed S] [--no-page]

Runs two copies of each service for H hours (default 2) with N letters a second (default 50) from the simulator and a simulated core, restarts each
part and upgrades them in the middle, from REF (a commit or tag; default: the last release; this version, when there is none). Then it accounts for every
letter by its id, and says whether memory, handles, connections and rows stayed flat. Writes docs/results/soak.md, unless told --no-page.`;

const MUNICIPALITIES = 98;
const SECONDS_AN_HOUR = 3_600;
const MAX_FINDINGS_SHOWN = 40;
const PAGE = join('docs', 'results', 'soak.md');

const print = (line: string) => process.stdout.write(`${line}\n`);
const report = (line: string) => process.stderr.write(`${line}\n`);

function readOptions() {
  rejectOptionsTakenByNpm('soak', ['hours', 'rate', 'municipalities', 'from', 'seed', 'no-page']);
  const { values } = parseArgs({
    options: {
      hours: { type: 'string', default: '2' },
      rate: { type: 'string', default: '50' },
      municipalities: { type: 'string', default: String(MUNICIPALITIES) },
      from: { type: 'string' },
      seed: { type: 'string' },
      'no-page': { type: 'boolean', default: false },
      help: { type: 'boolean', short: 'h', default: false },
    },
  });
  return {
    hours: numberIn('hours', values.hours, /^(\d|1[01])(\.\d{1,4})?$/, 'a number of hours below 12'),
    rate: numberIn('rate', values.rate, /^[1-9]\d{0,3}$/, 'a whole number from 1'),
    municipalities: numberIn('municipalities', values.municipalities, /^[1-9]\d{0,2}$/, 'a whole number from 1'),
    from: values.from,
    seed:
      values.seed === undefined ? randomInt(1_000_000) : numberIn('seed', values.seed, /^\d{1,6}$/, 'a whole number'),
    withPage: !values['no-page'],
    isHelp: values.help,
  };
}

function numberIn(name: string, text: string, form: RegExp, what: string): number {
  if (!form.test(text)) throw new Error(`--${name} is ${what}, not "${text}".`);
  return Number(text);
}

/** @returns whether nothing was found */
async function soak(options: ReturnType<typeof readOptions>, signal: AbortSignal): Promise<boolean> {
  const { hours, rate, seed, municipalities, withPage } = options;
  const from = options.from ?? (await lastRelease());
  const folder = mkdtempSync(join(tmpdir(), 'indbakke-soak-'));
  try {
    const old = from === undefined ? thisVersion() : await takeVersion(from, join(folder, 'old'), report);
    print(
      `soak: ${hours} h, ${rate} letters a second, ${municipalities} municipalities, from ${old.name}, seed ${seed}`,
    );
    const { outcome, postgres } = await withPostgres(async (server) => {
      const cvrs = Array.from({ length: municipalities }, (_, n) => String(90_000_001 + n));
      const stage = await Stage.open(server, 'soak', {
        municipalities: cvrs,
        ...(from !== undefined && { setUp: setUpBy(old, folder) }),
      });
      try {
        const plan = { seconds: hours * SECONDS_AN_HOUR, rate, seed, from: old, to: thisVersion(), signal, report };
        const outcome = await playSoak(stage, plan);
        const [row] = await stage.sql<{ version: string }>(`SELECT current_setting('server_version') AS version`);
        return { outcome, postgres: row?.version ?? '' };
      } finally {
        await stage.close();
      }
    });
    if (withPage) {
      const fromRef = options.from === undefined ? '' : ` --from ${options.from}`;
      const several = municipalities === MUNICIPALITIES ? '' : ` --municipalities ${municipalities}`;
      const command = `npm run soak -- --hours ${hours} --rate ${rate}${several}${fromRef} --seed ${seed}`;
      writeFileSync(join(repository, PAGE), soakPage(outcome, { command, rate, municipalities, postgres }));
      report(`${PAGE} is written; npm run results adds it to the index.`);
    }
    show(outcome);
    return outcome.findings.length === 0;
  } finally {
    rmSync(folder, { recursive: true, force: true, maxRetries: 3 });
  }
}

function show({ findings, warnings, trends, cpu, sent, core, seconds, quietAfterSeconds }: SoakOutcome): void {
  for (const { verdict, what } of findings.slice(0, MAX_FINDINGS_SHOWN)) print(`${verdict}: ${what}`);
  if (findings.length > MAX_FINDINGS_SHOWN) print(`and ${findings.length - MAX_FINDINGS_SHOWN} more`);
  for (const { what, window, first, last, unit } of trends)
    print(`${what}, ${window}: ${first.toFixed(0)} to ${last.toFixed(0)} ${unit}`);
  for (const [part, ms] of cpu) print(`processors, ${part}: ${(ms / (seconds * 1_000)).toFixed(2)}`);
  for (const [what, count] of warnings) print(`warning: ${what}, ${count} times`);
  print(
    JSON.stringify({
      name: 'soak',
      seconds: Math.round(seconds),
      quiet_after_seconds: Math.round(quietAfterSeconds),
      sent: sent.sent,
      acknowledged: sent.acknowledged,
      resent: sent.resent,
      changes: core.changes,
      events: core.committed.length,
      webhooks: core.webhooks,
      found: findings.length,
    }),
  );
  print(
    ['lost', 'twice', 'stuck'].map((each) => `${each} ${findings.filter((f) => f.verdict === each).length}`).join(', '),
  );
}

const signal = abortedByCtrlC();
try {
  const options = readOptions();
  if (options.isHelp) print(USAGE);
  else process.exitCode = (await soak(options, signal)) ? 0 : 1;
} catch (error) {
  const { code, message, stack, name } = error as NodeJS.ErrnoException;
  if (signal.aborted) report('soak: interrupted; everything it created is removed');
  else if (code?.startsWith('ERR_PARSE_ARGS')) report(`${message}\n\n${USAGE}`);
  else report(name === 'Error' ? message : (stack ?? message)); // ours are sentences
  process.exitCode = signal.aborted ? INTERRUPTED : 1;
}
process.exit();
