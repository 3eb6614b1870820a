import { parseArgs } from 'node:util';
import { runCommand } from '../../local/command.js';
import { abortedByCtrlC } from '../../local/ctrl-c.js';
import { type FuzzTarget, fuzz, lastLine, saveFinding } from './fuzz.js';
import { hasXmllint } from './libxml2-opinion.js';
import { withTarget } from './target.js';
import { watch } from './watchdog.js';

const USAGE = `npm run fuzz -- [--seconds N] [--seed S] [--in-process]
Delivers mutated messages and compares the result with a second parser: content with xml2js, well-formedness with libxml2 if
xmllint is installed. --in-process: without HTTP and database. Saves findings in services/receiver/test/hostile/found/.`;

await runCommand(USAGE, async () => {
  const { values } = parseArgs({
    options: {
      seconds: { type: 'string', default: '30' },
      seed: { type: 'string', default: String(Date.now() % 1_000_000_000) },
      'in-process': { type: 'boolean', default: false },
    },
  });
  const [seconds, seed] = [Number(values.seconds), Number(values.seed)];
  if (!(seconds > 0) || !Number.isInteger(seed)) throw new Error(`--seconds and --seed are numbers.\n${USAGE}`);
  say(`seed ${seed}`);
  if (!hasXmllint) say('xmllint is not installed (Debian: libxml2-utils): well-formedness is not compared.');
  const signal = abortedByCtrlC();
  const run = async (stack?: FuzzTarget) => {
    const onFailure = (failure: string, message: Buffer) =>
      say(`FAILURE ${failure}: saved as ${saveFinding(failure, message)}`);
    const watchdog = watch(seed);
    const result = await fuzz({
      seconds,
      seed,
      ...(stack && { stack }),
      signal,
      onMessage: watchdog.report,
      onProgress: say,
      onFailure,
    });
    await watchdog.stop();
    for (const [failure, count] of Object.entries(result.failures)) say(`${count} times: ${failure}`);
    say(`${result.overHttp} over HTTP; refused: ${JSON.stringify(result.refusals)}`);
    if (Object.keys(result.failures).length > 0) process.exitCode = 1;
    return lastLine(result);
  };
  return values['in-process'] ? run() : withTarget(run);
});

function say(line: string): void {
  process.stdout.write(`${line}\n`);
}
