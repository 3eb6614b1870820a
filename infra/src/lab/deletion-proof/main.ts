import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { repository } from '../../../../tools/local-state.mjs';
import { oneOf, rejectOptionsTakenByNpm, runCommand } from '../../local/command.js';
import { abortedByCtrlC } from '../../local/ctrl-c.js';
import { HAS_REDIS } from '../../testkit/redis.js';
import { type Proof, prove } from './prove.js';
import { linesOf, page } from './report.js';

const USAGE = `npm run deletion-proof [-- --short] [--queue postgresql|redis] [--without deletion|scrub]

Plants letters with unique words, numbers, names and contents in an installation of its own, lets them pass through everything there is,
shows that its search finds them, deletes them, scrubs, and searches every file that was written: database and its write-ahead log,
content, queue, logs, temporary files. Prints what it searched, and where something is left (never what). Without --queue, once for
each. --short has few other letters and writes no report. --without leaves out a step: then something must be found.
Exit status: 0 = nothing is left.`;

const QUEUES = { postgresql: 'PostgreSQL', redis: 'Redis' } as const;
type Queue = keyof typeof QUEUES;

await runCommand(USAGE, async () => {
  rejectOptionsTakenByNpm('deletion-proof', ['short', 'queue', 'without']);
  const { values } = parseArgs({
    options: {
      short: { type: 'boolean', default: false },
      queue: { type: 'string' },
      without: { type: 'string' },
      help: { type: 'boolean', short: 'h', default: false },
    },
  });
  if (values.help) return USAGE;
  const { short: isShort } = values;
  const without = oneOf('without', values.without, ['deletion', 'scrub']);
  const queue = oneOf('queue', values.queue, Object.keys(QUEUES) as Queue[]);
  const signal = abortedByCtrlC();
  const queues: Queue[] = queue ? [queue] : ['postgresql', ...(HAS_REDIS ? (['redis'] as const) : [])];
  const proofs: Proof[] = [];
  for (const each of queues) {
    const onProgress = (line: string) => process.stderr.write(`${line}\n`);
    const proof = await prove({ queue: QUEUES[each], isShort, without, signal, onProgress });
    process.stdout.write(`${linesOf(proof).join('\n')}\n\n`);
    proofs.push(proof);
  }
  const found = proofs.reduce((sum, { after }) => sum + after.found.length, 0);
  if (found > 0) process.exitCode = 1;
  if (!isShort && without === undefined && queue === undefined) {
    const folder = join(repository, 'docs', 'results');
    mkdirSync(folder, { recursive: true });
    writeFileSync(join(folder, 'deletion-proof.md'), page(proofs));
  }
  return `found ${found}`;
});
process.exit();
