import { randomInt } from 'node:crypto';
import { parseArgs } from 'node:util';
import { INTERRUPTED } from '@indbakke/shared/service';
import { abortedByCtrlC } from '../../local/ctrl-c.js';
import { startClamd } from '../../testkit/clamd.js';
import { startOwnSwift } from '../../testkit/swift.js';
import { FAULTS, type Fault } from './faults.js';
import { crashFeed, testFeedItself } from './feed/crash-feed.js';
import { play } from './harness.js';
import { KILLS_OF_RUNS, type Kill, ROUND_IN_S3, ROUND_WITH_SCANNER } from './kills.js';
import type { Ledger } from './ledger.js';
import { selfTest } from './self-test.js';
import { Stage, withPostgres } from './stage.js';
import { summaryOf, tableOf } from './table.js';

const USAGE = `npm run crash -- [--runs N] [--seed S] [--point NAME]   kills, restarts and compares N times (default 100)
npm run crash -- --content s3 […]                       the same with content in S3: OpenStack Swift, of Debian's python3-swift
npm run crash -- --scan […]                             the same with files scanned: clamd, of Debian's clamav-daemon
npm run crash -- --self-test [--fault NAME]             breaks the code on purpose and must find it
npm run crash -- feed [--seconds N] [--seed S]          kills what numbers, delivers and receives events for N s (default 60)
npm run crash -- feed --self-test                       breaks that on purpose and must find it
Points: ${KILLS_OF_RUNS.join(', ')}
Faults: ${Object.keys(FAULTS).join(', ')}`;

const QUIET_EVERY = 50;
const STUCK_AFTER_MS = 30_000;
const MAX_FINDINGS_SHOWN = 40;

const print = (line: string) => process.stdout.write(`${line}\n`);

class BadArgument extends Error {}

interface Options {
  readonly isFeed: boolean;
  readonly seconds: number;
  readonly runs: number;
  readonly seed: number;
  readonly point: Kill | undefined;
  readonly content: 'folder' | 's3';
  readonly isScanning: boolean;
  readonly isSelfTest: boolean;
  readonly fault: Fault | undefined;
}

function readOptions(): Options {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      seconds: { type: 'string', default: '60' },
      runs: { type: 'string', default: '100' },
      seed: { type: 'string' },
      point: { type: 'string' },
      content: { type: 'string', default: 'folder' },
      scan: { type: 'boolean', default: false },
      'self-test': { type: 'boolean', default: false },
      fault: { type: 'string' },
    },
  });
  const number = (name: string, text: string) => {
    if (!/^\d{1,9}$/.test(text)) throw new BadArgument(`--${name} is a whole number, not "${text}".`);
    return Number(text);
  };
  const oneOf = <T extends string>(name: string, text: string | undefined, all: readonly T[]) => {
    const found = all.find((candidate) => candidate === text);
    if (text !== undefined && found === undefined) throw new BadArgument(`--${name} is one of ${all.join(', ')}.`);
    return found;
  };
  const [mode] = positionals;
  if (mode !== undefined && mode !== 'feed') throw new BadArgument(`There is no mode "${mode}".`);
  return {
    isFeed: mode === 'feed',
    seconds: number('seconds', values.seconds),
    runs: Math.max(1, number('runs', values.runs)),
    seed: values.seed === undefined ? randomInt(1_000_000) : number('seed', values.seed),
    point: oneOf('point', values.point, KILLS_OF_RUNS),
    content: oneOf('content', values.content, ['folder', 's3'] as const) ?? 'folder',
    isScanning: values.scan,
    isSelfTest: values['self-test'],
    fault: oneOf('fault', values.fault, Object.keys(FAULTS) as Fault[]),
  };
}

function progress(runs: number): (done: number, ledger: Ledger) => void {
  const began = Date.now();
  return (done, ledger) => {
    if (!process.stderr.isTTY && done % 10 !== 0 && done !== runs) return;
    const seconds = Math.round((Date.now() - began) / 1_000);
    const line = `${done} of ${runs} runs, ${ledger.sent.length} MeMos, ${seconds} s: ${summaryOf(ledger)}`;
    process.stderr.write(process.stderr.isTTY ? `\r${line}${done === runs ? '\n' : ''}` : `${line}\n`);
  };
}

/** @returns whether nothing was found */
async function crash({ runs, seed, point, content, isScanning }: Options, signal: AbortSignal): Promise<boolean> {
  return withPostgres(async (postgres) => {
    const swift = content === 's3' ? await startOwnSwift() : undefined;
    const clamd = isScanning ? await startClamd() : undefined;
    const stage = await Stage.open(postgres, 'crash', { swift, clamdUrl: clamd?.url });
    const kills = point ? [point] : clamd ? ROUND_WITH_SCANNER : swift && ROUND_IN_S3;
    try {
      print(`crash: ${runs} runs, seed ${seed}${swift ? ', content in S3' : ''}${clamd ? ', files are scanned' : ''}`);
      const outcome = await play(stage, {
        runs,
        seed,
        ...(kills && { kills }),
        quietEvery: QUIET_EVERY,
        stuckAfterMs: STUCK_AFTER_MS,
        signal,
        onRun: progress(runs),
      });
      const { findings } = outcome.ledger;
      for (const { verdict, kill, run, what } of findings.slice(0, MAX_FINDINGS_SHOWN)) {
        print(`${verdict}: run ${run + 1} (${kill}): ${what}`);
      }
      print(`\n${tableOf(outcome)}\n`);
      print(summaryOf(outcome.ledger));
      return findings.length === 0;
    } finally {
      await stage.close();
      await swift?.close();
      await clamd?.close();
    }
  });
}

/** @returns whether all faults were found */
async function testItself({ seed, fault }: Options, signal: AbortSignal): Promise<boolean> {
  const faults = fault ? [fault] : (Object.keys(FAULTS) as Fault[]);
  return withPostgres(async (postgres) => {
    const found = await selfTest(postgres, { seed, faults, signal, report: print });
    print(`self-test: ${found} of ${faults.length} faults found`);
    return found === faults.length;
  });
}

const signal = abortedByCtrlC();
try {
  const options = readOptions();
  const isGood = await (options.isFeed
    ? options.isSelfTest
      ? testFeedItself({ ...options, signal }, print)
      : crashFeed({ ...options, signal }, print)
    : options.isSelfTest
      ? testItself(options, signal)
      : crash(options, signal));
  process.exitCode = isGood ? 0 : 1;
} catch (error) {
  const { code, message, stack } = error as NodeJS.ErrnoException;
  if (signal.aborted) process.stderr.write('crash: interrupted; everything it created is removed\n');
  else
    process.stderr.write(
      error instanceof BadArgument || code?.startsWith('ERR_PARSE_ARGS')
        ? `${message}\n\n${USAGE}\n`
        : `${stack ?? message}\n`,
    );
  process.exitCode = signal.aborted ? INTERRUPTED : 1;
}
process.exit();
