import { randomInt } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { INTERRUPTED } from '@indbakke/shared/service';
import { rejectOptionsTakenByNpm } from '../../local/command.js';
import { abortedByCtrlC } from '../../local/ctrl-c.js';
import { Stage, withPostgres } from '../crash/stage.js';
import { playUpgrade, type UpgradeOutcome } from './run.js';
import { tableOf } from './table.js';
import { lastRelease, setUpBy, takeVersion, thisVersion } from './version.js';

const USAGE = `npm run upgrade-check -- [--from REF] [--seconds N] [--back] [--seed S]

Runs the version of REF, a commit or tag (default: the last release; this version, when there is none), two copies of each service,
under load, migrates, replaces them copy by copy by this version, and compares what is stored with what callers were told. About N seconds of load (default 60)
besides what starting takes. --back also goes back to REF on the new schema, and forward again.`;

const MAX_FINDINGS_SHOWN = 40;
/** A machine with few cores has both versions and the load. */
const SLOWEST_DELIVERY_MS = 10_000;

const print = (line: string) => process.stdout.write(`${line}\n`);
const report = (line: string) => process.stderr.write(`${line}\n`);

function readOptions() {
  rejectOptionsTakenByNpm('upgrade-check', ['from', 'seconds', 'back', 'seed']);
  const { values } = parseArgs({
    options: {
      from: { type: 'string' },
      seconds: { type: 'string', default: '60' },
      seed: { type: 'string' },
      back: { type: 'boolean', default: false },
      help: { type: 'boolean', short: 'h', default: false },
    },
  });
  const number = (name: string, text: string) => {
    if (!/^\d{1,6}$/.test(text)) throw new Error(`--${name} is a whole number, not "${text}".`);
    return Number(text);
  };
  return {
    from: values.from,
    seconds: number('seconds', values.seconds),
    seed: values.seed === undefined ? randomInt(1_000_000) : number('seed', values.seed),
    isBack: values.back,
    isHelp: values.help,
  };
}

/** @returns whether nothing was found, and all deliveries were fast enough */
async function check(options: ReturnType<typeof readOptions>, signal: AbortSignal): Promise<boolean> {
  const from = options.from ?? (await lastRelease());
  const folder = mkdtempSync(join(tmpdir(), 'indbakke-upgrade-'));
  try {
    // Without a release before it, it is a rolling restart.
    const old = from === undefined ? thisVersion() : await takeVersion(from, join(folder, 'old'), report);
    const { seconds, seed, isBack } = options;
    print(`upgrade-check: from ${old.name}, ${seconds} s of load, seed ${seed}`);
    const outcome = await withPostgres(async (postgres) => {
      const stage = await Stage.open(postgres, 'upgrade', { setUp: setUpBy(old, folder) });
      try {
        return await playUpgrade(stage, { from: old, to: thisVersion(), seconds, seed, isBack, signal, report });
      } finally {
        await stage.close();
      }
    });
    show(outcome);
    const { slowest_delivery_ms: slowest = 0 } = outcome.figures;
    const isFastEnough = slowest <= SLOWEST_DELIVERY_MS;
    print(`${isFastEnough ? 'met' : 'not met'}: slowest delivery ≤ ${SLOWEST_DELIVERY_MS} ms: ${slowest} ms`);
    print(
      JSON.stringify({
        name: 'upgrade-check',
        from: old.name,
        seconds,
        seed,
        ...outcome.figures,
        found: outcome.findings.length,
      }),
    );
    return outcome.findings.length === 0 && isFastEnough;
  } finally {
    rmSync(folder, { recursive: true, force: true, maxRetries: 3 });
  }
}

function show({ phases, findings, warnings }: UpgradeOutcome): void {
  for (const finding of findings.slice(0, MAX_FINDINGS_SHOWN)) print(finding);
  if (findings.length > MAX_FINDINGS_SHOWN) print(`and ${findings.length - MAX_FINDINGS_SHOWN} more`);
  print(`\n${tableOf(phases)}\n`);
  for (const [what, count] of warnings) print(`warning: ${what}, ${count} times`);
}

const signal = abortedByCtrlC();
try {
  const options = readOptions();
  if (options.isHelp) print(USAGE);
  else process.exitCode = (await check(options, signal)) ? 0 : 1;
} catch (error) {
  const { code, message, stack, name } = error as NodeJS.ErrnoException;
  if (signal.aborted) report('upgrade-check: interrupted; everything it created is removed');
  else if (code?.startsWith('ERR_PARSE_ARGS')) report(`${message}\n\n${USAGE}`);
  else report(name === 'Error' ? message : (stack ?? message)); // ours are sentences
  process.exitCode = signal.aborted ? INTERRUPTED : 1;
}
process.exit();
