import { resultLines } from '../../results/form.js';
import { rounded } from '../measure.js';
import { type CpuOfLetter, PER_LETTER } from './lives.js';

/** What is assumed of Denmark, and not measured. */
const ASSUMED = {
  municipalities: 98,
  lettersOfYear: 30_000,
  workingDays: 250,
  hours: 8,
  /** A Monday morning, of the mean hour of a working day. */
  peak: 10,
  /** Of the files of a letter, on average. */
  megabytes: 0.5,
} as const;

/** How much of its processors an installation should use at the peak. */
const BUSY = 0.5;

interface Found {
  readonly cpu: { readonly PostgreSQL: CpuOfLetter; readonly Redis?: CpuOfLetter };
  /** For each million bytes, in ms. */
  readonly perMb: number;
  /** Of two processes of each service and PostgreSQL that have nothing to do: how many processors are busy. */
  readonly idle: number;
}

/** docs/results/scale.md: from the processor time of a letter to what all municipalities need. */
export function pageOf({ cpu, perMb, idle }: Found): string {
  const { municipalities, lettersOfYear, workingDays, hours, peak, megabytes } = ASSUMED;
  const meanPerSecond = (municipalities * lettersOfYear) / (workingDays * hours * 3_600);
  const peakPerSecond = meanPerSecond * peak;
  const ofContent = megabytes * perMb;
  const parts = Object.keys(cpu.PostgreSQL) as (keyof CpuOfLetter)[];
  const sum = (of: CpuOfLetter) => Object.values(of).reduce((all, one) => all + one, 0);
  const need = (ms: number) => (ms * peakPerSecond) / 1_000;
  const total = sum(cpu.PostgreSQL) + ofContent;
  const backends = Object.keys(cpu) as (keyof typeof cpu)[];
  return [
    '# What many municipalities need',
    '',
    ...resultLines({
      run: ['npm run bench -- scale'],
      on: 'the run of [bench scale](bench-scale.md)',
      goals: [],
      noGoals: 'it shows what a letter takes, and what follows from that',
    }),
    '',
    'The rates at 1, 2 and 4 processes of each service are in [bench-scale](bench-scale.md).',
    '',
    '## Processor time for a letter',
    '',
    `A reply of 20 KB is received, gets its suggestion, and then ${PER_LETTER.lists} lists of 50 are shown, it is read, its file is fetched, and it is`,
    `journalized; of every ${Math.round(1 / PER_LETTER.zips)} letters one is zipped. Milliseconds of processor time:`,
    '',
    row(['part', ...backends.map((backend) => `queues on ${backend}`)]),
    row(['---', ...backends.map(() => '---:')]),
    ...parts.map((part) => row([part, ...backends.map((backend) => shown(cpu[backend]?.[part]))])),
    row(['all', ...backends.map((backend) => shown(cpu[backend] && sum(cpu[backend])))]),
    '',
    `Each million bytes more in the files of a letter: ${rounded(perMb, 1)} ms, of the receiver and PostgreSQL.`,
    '',
    `## ${municipalities} municipalities`,
    '',
    'Assumed, not measured:',
    '',
    `- ${municipalities} municipalities, each with ${lettersOfYear} letters a year on average: ${municipalities * lettersOfYear} a year`,
    `- they come on ${workingDays} working days of ${hours} hours: ${rounded(meanPerSecond)} a second`,
    `- a Monday morning has ${peak} times that: ${rounded(peakPerSecond)} a second`,
    `- the files of a letter have ${megabytes} million bytes on average`,
    `- caseworkers do for each letter what was measured above`,
    '',
    'At that peak, with the queues on PostgreSQL:',
    '',
    row(['part', 'ms a letter', 'processors']),
    row(['---', '---:', '---:']),
    ...parts
      .filter((part) => part !== 'Redis')
      .map((part) => row([part, shown(cpu.PostgreSQL[part]), rounded(need(cpu.PostgreSQL[part]), 3).toString()])),
    row(['content, of receiver and PostgreSQL', shown(ofContent), rounded(need(ofContent), 3).toString()]),
    row(['two copies of each service that have nothing to do', '', rounded(idle, 3).toString()]),
    row(['all', shown(total), rounded(need(total) + idle, 3).toString()]),
    '',
    `Processors like those measured that would be busy for ${BUSY * 100} % then: ${Math.ceil((need(total) + idle) / BUSY)}. Two copies of each service are run so that one may end, not`,
    `since one would be too slow. Two processors that are busy all the time would be reached at ${Math.floor(2_000 / total)} letters a second, ${Math.floor(2_000 / total / peakPerSecond)} times that peak.`,
    '',
    `A year of files takes ${rounded((municipalities * lettersOfYear * megabytes) / 1e6, 1)} TB.`,
    '',
  ].join('\n');
}

function row(cells: readonly string[]): string {
  return `| ${cells.join(' | ')} |`;
}

const shown = (milliseconds: number | undefined) => (milliseconds === undefined ? '' : milliseconds.toFixed(1));
