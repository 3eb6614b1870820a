import { randomInt } from 'node:crypto';
import { parseArgs } from 'node:util';
import { INTERRUPTED } from '@indbakke/shared/service';
import { rejectOptionsTakenByNpm } from '../../local/command.js';
import { abortedByCtrlC } from '../../local/ctrl-c.js';
import { startOwnRedis } from '../../testkit/redis.js';
import { Stage, withPostgres } from '../crash/stage.js';
import { tableOf } from '../upgrade/table.js';
import { type CopiesOutcome, type Finding, playCopies } from './run.js';

const USAGE = `npm run copies -- [--rounds N] [--pause SECONDS] [--redis] [--seed S]

Runs two copies of each service on one database under load, their clocks an hour or two apart. In each round (default 2) one copy of each is
killed and replaced, and one is paused for SECONDS (default 60) and woken. Then it compares what is stored with what callers were told.
--redis has the queues on a Redis of its own.`;

const MAX_FINDINGS_SHOWN = 40;

const print = (line: string) => process.stdout.write(`${line}\n`);
const report = (line: string) => process.stderr.write(`${line}\n`);

function readOptions() {
  rejectOptionsTakenByNpm('copies', ['rounds', 'pause', 'redis', 'seed']);
  const { values } = parseArgs({
    options: {
      rounds: { type: 'string', default: '2' },
      pause: { type: 'string', default: '60' },
      redis: { type: 'boolean', default: false },
      seed: { type: 'string' },
      help: { type: 'boolean', short: 'h', default: false },
    },
  });
  const number = (name: string, text: string) => {
    if (!/^\d{1,6}$/.test(text)) throw new Error(`--${name} is a whole number, not "${text}".`);
    return Number(text);
  };
  return {
    rounds: number('rounds', values.rounds),
    pauseSeconds: number('pause', values.pause),
    seed: values.seed === undefined ? randomInt(1_000_000) : number('seed', values.seed),
    isOnRedis: values.redis,
    isHelp: values.help,
  };
}

/** @returns whether nothing was found */
async function copies(options: ReturnType<typeof readOptions>, signal: AbortSignal): Promise<boolean> {
  const { rounds, pauseSeconds, seed, isOnRedis } = options;
  print(
    `copies: ${rounds} rounds, a pause of ${pauseSeconds} s, queues on ${isOnRedis ? 'Redis' : 'PostgreSQL'}, seed ${seed}`,
  );
  const redis = isOnRedis ? await startOwnRedis() : undefined;
  try {
    const outcome = await withPostgres(async (postgres) => {
      const stage = await Stage.open(postgres, 'copies');
      try {
        return await playCopies(stage, { ...options, queueUrl: redis?.url, signal, report });
      } finally {
        await stage.close();
      }
    });
    show(outcome);
    return outcome.findings.length === 0;
  } finally {
    await redis?.close();
  }
}

function show({ phases, findings, figures }: CopiesOutcome): void {
  for (const { verdict, what } of findings.slice(0, MAX_FINDINGS_SHOWN)) print(`${verdict}: ${what}`);
  if (findings.length > MAX_FINDINGS_SHOWN) print(`and ${findings.length - MAX_FINDINGS_SHOWN} more`);
  print(`\n${tableOf(phases, 'not answered')}\n`);
  print(JSON.stringify({ name: 'copies', ...figures, found: findings.length }));
  print(summaryOf(findings));
}

/** `lost 0, twice 0, stuck 0`, and what else there is. */
function summaryOf(findings: readonly Finding[]): string {
  const verdicts = new Set(['lost', 'twice', 'stuck', ...findings.map(({ verdict }) => verdict)]);
  return [...verdicts].map((each) => `${each} ${findings.filter(({ verdict }) => verdict === each).length}`).join(', ');
}

const signal = abortedByCtrlC();
try {
  const options = readOptions();
  if (options.isHelp) print(USAGE);
  else process.exitCode = (await copies(options, signal)) ? 0 : 1;
} catch (error) {
  const { code, message, stack, name } = error as NodeJS.ErrnoException;
  if (signal.aborted) report('copies: interrupted; everything it created is removed');
  else if (code?.startsWith('ERR_PARSE_ARGS')) report(`${message}\n\n${USAGE}`);
  else report(name === 'Error' ? message : (stack ?? message)); // ours are sentences
  process.exitCode = signal.aborted ? INTERRUPTED : 1;
}
process.exit();
