import { setMaxListeners } from 'node:events';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { repository } from '../../../../tools/local-state.mjs';
import { oneOf, rejectOptionsTakenByNpm, runCommand } from '../../local/command.js';
import { abortedByCtrlC } from '../../local/ctrl-c.js';
import { HAS_REDIS } from '../../testkit/redis.js';
import { type PersonalProof, prove } from './prove.js';
import { linesOf, page } from './report.js';

const USAGE = `npm run personal-proof [-- --queue postgresql|redis]

Plants CPR numbers, names, subjects, file names and contents in an installation of its own: in letters and in documents from
Fordelingskomponenten that pass through everything, in bad deliveries and bad calls, in what Serviceplatformen answers, while its SFTP
server fails, while the database refuses or is away, in files that are unsafe or held since the scanner is away (with Debian's
clamav-daemon), and while content is unreadable. Then it searches for them what
those can see who may see no messages: logs of the services and of PostgreSQL, metrics, traces, jobs, pages, answers that refuse,
the process list, names and contents of files. It first shows that the search finds them in the database. Prints what it searched, and
where something is found (never what). Without --queue, once for each, with a report in docs/results.
Exit status: 0 = nothing is found.`;

const QUEUES = { postgresql: 'PostgreSQL', redis: 'Redis' } as const;
type Queue = keyof typeof QUEUES;

await runCommand(USAGE, async () => {
  rejectOptionsTakenByNpm('personal-proof', ['queue']);
  const { values } = parseArgs({
    options: { queue: { type: 'string' }, help: { type: 'boolean', short: 'h', default: false } },
  });
  if (values.help) return USAGE;
  const queue = oneOf('queue', values.queue, Object.keys(QUEUES) as Queue[]);
  const signal = abortedByCtrlC();
  setMaxListeners(0, signal); // of every call
  const proofs: PersonalProof[] = [];
  for (const each of queue ? [queue] : (['postgresql', ...(HAS_REDIS ? ['redis'] : [])] as Queue[])) {
    const onProgress = (line: string) => process.stderr.write(`${line}\n`);
    const proof = await prove({ queue: QUEUES[each], signal, onProgress });
    process.stdout.write(`${linesOf(proof).join('\n')}\n\n`);
    proofs.push(proof);
  }
  const found = proofs.reduce((sum, proof) => sum + proof.found.length, 0);
  if (found > 0) process.exitCode = 1;
  if (queue === undefined) writeFileSync(join(repository, 'docs', 'results', 'personal-proof.md'), page(proofs));
  return `found ${found}`;
});
process.exit();
