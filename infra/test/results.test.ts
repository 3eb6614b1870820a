import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { repository } from '../../tools/local-state.mjs';
import { atLeast, atMost } from '../src/lab/bench/bench.js';
import { reportOf } from '../src/lab/bench/report.js';
import { pageOf as scalePage } from '../src/lab/bench/scale/page.js';
import { page as deletionPage } from '../src/lab/deletion-proof/report.js';
import { page as personalPage } from '../src/lab/personal-proof/report.js';
import { machine, none, resultLines, today } from '../src/lab/results/form.js';
import { indexOf } from '../src/lab/results/index-page.js';
import { readPage } from '../src/lab/results/read.js';

const RESULTS = join(repository, 'docs', 'results');
const RUN = '- run: `npm run bench -- api`';
const ON = '- on: 2026-11-26, 2 × AMD EPYC';
const MET = '- met: p99 ≤ 200 ms: 96.13 ms';

const page = (...lines: string[]) => ['# bench api', '', ...lines, ''].join('\n');
const read = (...lines: string[]) => readPage('bench-api.md', page(...lines));

it('docs/results/README.md is what npm run results makes of the other pages', () => {
  expect(readFileSync(join(RESULTS, 'README.md'), 'utf8')).toBe(indexOf(RESULTS).text);
});

describe('a page', () => {
  it('is read as it was written', () => {
    const run = ['npm run soak', 'npm run soak -- --redis'] as const;
    const on = today(machine('18.4'));
    const goals = [
      atMost('100 MB: growth of memory', 61, 60, ' MB'),
      atLeast('rate, of (b)', 3.2, 3, ' ×'),
      none('lost, twice, stuck', 0),
    ];
    const lines = resultLines({ run, on, goals });
    expect(lines).toContain('- **not met**: 100 MB: growth of memory ≤ 60 MB: 61.00 MB');
    expect(read('Some words.', '', ...lines, '- a note')).toEqual({
      name: 'bench-api.md',
      title: 'bench api',
      run: '`npm run soak`, `npm run soak -- --redis`',
      on,
      goals,
    });
  });

  it('may say that it has no command or no goals, and why', () => {
    const noGoals = 'it shows plans';
    const lines = resultLines({ run: ['npm run bench -- api'], on: 'two processors', goals: [], noGoals });
    expect(read(...lines)).toMatchObject({ goals: [], noGoals });
    expect(read('- run: no command: each was tried once', ON, MET).run).toBe('no command: each was tried once');
  });

  it('is not written without goals and without a reason', () => {
    const result = { run: ['npm run soak'], on: 'two processors', goals: [] } as const;
    expect(() => resultLines(result)).toThrow('A result has goals, or says why it has none.');
  });

  it('may show the form in a block of code', () => {
    expect(read(RUN, ON, MET, '```', 'not met: a ≤ 1: 2', '```').goals).toHaveLength(1);
  });

  it.each([
    ['no title', '\n', 'the first line must be its title.'],
    ['no command', page(ON, MET), 'it must say once what was run (- run: `COMMAND`).'],
    ['two lines of commands', page(RUN, RUN, ON, MET), 'it must say once what was run (- run: `COMMAND`).'],
    ['no machine', page(RUN, MET), 'it must say once when and on what (- on: DATE, MACHINE).'],
    [
      'no goals',
      page(RUN, ON),
      'it must have a goal (- met: WHAT ≤ LIMIT: FIGURE), or say why it has none (- no goals: WHY).',
    ],
    [
      'goals, and none',
      page(RUN, ON, MET, '- no goals: why'),
      'it must either have goals or say once why it has none.',
    ],
  ])('with %s is refused by name', (_, text, sentence) => {
    expect(() => readPage('bench-api.md', text)).toThrow(new Error(`docs/results/bench-api.md: ${sentence}`));
  });

  it.each([
    '- run: npm run bench',
    '- Run: `npm run bench`',
    '- on:',
    '- no goal: why',
    '- not met: p99 ≤ 200 ms: 300 ms',
    '**not met**: p99 ≤ 200 ms: 300 ms',
    '- **not met:** p99 ≤ 200 ms: 300 ms',
    'met     p99 ≤ 200 ms: 96 ms',
    '- met: p99 under 200 ms: 96 ms',
    '- met: p99 ≤ 200 ms',
    '- met: p99 ≤ 200 ms: fast',
    '- met: p99 ≤ 200 ms: NaN ms',
    '  - met: p99 ≤ 200 ms: 96 ms',
    '* met: p99 ≤ 200 ms: 96 ms',
  ])('with the line "%s" is refused', (line) => {
    expect(() => read(RUN, ON, MET, line)).toThrow(
      new Error(`docs/results/bench-api.md: this line has an unknown form: ${line}`),
    );
  });

  it.each([
    ['- met: p99 ≤ 200 ms: 201 ms', 'its figures contradict this line'],
    ['- met: lost, twice, stuck ≤ 0: 1', 'its figures contradict this line'],
    ['- met: rate ≥ 3 ×: 2.99 ×', 'its figures contradict this line'],
    ['- **not met**: rate ≥ 3 ×: 3.01 ×', 'its figures contradict this line'],
    ['- met: p99 ≤ 200 ms: 96 s', 'goal and figure of this line have different units'],
  ])('with the line "%s" is refused: %s', (line, sentence) => {
    expect(() => read(RUN, ON, line)).toThrow(new Error(`docs/results/bench-api.md: ${sentence}: ${line}`));
  });

  it('may miss a goal by less than its figure shows', () => {
    expect(read(RUN, ON, '- **not met**: time, of (a) ≤ 1.11 ×: 1.11 ×').goals).toEqual([
      { goal: 'time, of (a) ≤ 1.11 ×', measured: '1.11 ×', met: false },
    ]);
  });
});

describe('the page', () => {
  it('of a bench has the form, with how much was measured', () => {
    const bench = { name: 'soap', measures: 'One MeMo.', run: () => Promise.resolve(outcome) };
    const outcome = {
      columns: ['a'],
      rows: [['1']],
      figures: {},
      goals: [atMost('time', 1, 2, ' ×')],
      notes: ['a note'],
    };
    const { run, on, goals } = readPage(
      'a.md',
      reportOf(bench, { quick: false, rounds: 3, to: 5_000 }, outcome, '18.4'),
    );
    expect(run).toBe('`npm run bench -- soap --to 5000`');
    expect(on).toMatch(/^\d{4}-\d\d-\d\d, \d+ × .+, \d+ GiB, .+, Node [\d.]+, PostgreSQL 18\.4$/);
    expect(goals).toEqual([{ goal: 'time ≤ 2 ×', measured: '1.00 ×', met: true }]);
  });

  it('of what many municipalities need has the form', () => {
    const cpu = { receiver: 1, journaler: 1, archiver: 1, PostgreSQL: 1, Redis: 0 };
    expect(readPage('scale.md', scalePage({ cpu: { PostgreSQL: cpu }, perMb: 6, idle: 0.2 })).goals).toEqual([]);
  });

  it('of the proofs has a goal for each queue', () => {
    const nothing = { searched: [], found: [] };
    const deleted = { letters: 6, others: 0, needles: 0, before: nothing, unscrubbed: nothing, after: nothing };
    const deletion = { queue: 'Redis', ...deleted, neverInFiles: [], scrubSeconds: 5 };
    expect(readPage('a.md', deletionPage([deletion])).goals).toEqual([
      { goal: 'queue on Redis, found after deletion and scrub ≤ 0', measured: '0', met: true },
    ]);
    const personal = {
      queue: 'Redis',
      isScanned: true,
      plants: 9,
      inLetters: 1,
      inDatabase: 1,
      notReached: [],
      searched: [],
    };
    const found = [{ area: 'metrics', file: 'a', plant: 'subject', form: 'plain' }];
    expect(readPage('a.md', personalPage([{ ...personal, found }])).goals).toEqual([
      { goal: 'queue on Redis, found where those look who may see no messages ≤ 0', measured: '1', met: false },
    ]);
  });
});

describe('npm run results', () => {
  let folder: string;

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'indbakke-results-'));
    write(
      'limits.md',
      '# Limits',
      '',
      '- run: no command: words',
      ON,
      '- no goals: words',
      '',
      '## api',
      '',
      'It is',
      'slow.',
    );
    write('bench-soap.md', '# bench soap', RUN, ON, '- met: time ≤ 2 ×: 1 ×');
  });

  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  const write = (name: string, ...lines: string[]) => writeFileSync(join(folder, name), `${lines.join('\n')}\n`);

  it('puts a missed goal first, with the reason from limits.md', () => {
    write('bench-api.md', '# bench api', RUN, ON, '- met: rate ≥ 3 ×: 4 ×', '- **not met**: p99 ≤ 200 ms: 300 ms');
    const { text, summary } = indexOf(folder);
    expect(summary).toBe('3 pages, 3 goals: 2 met, 1 not met');
    expect(text).toContain(`
## Not met

- [bench api](bench-api.md) ([why](limits.md#api)): It is slow.
  - p99 ≤ 200 ms: **300 ms**
`);
    const rows = text.split('\n').filter((line) => line.startsWith('| '));
    expect(rows.slice(2)).toEqual([
      '| [bench api](bench-api.md) | `npm run bench -- api` | 2026-11-26, 2 × AMD EPYC | p99 ≤ 200 ms | 300 ms | **[not met](limits.md#api)** |',
      '|  |  |  | rate ≥ 3 × | 4 × | met |',
      '| [bench soap](bench-soap.md) | `npm run bench -- api` | 2026-11-26, 2 × AMD EPYC | time ≤ 2 × | 1 × | met |',
      '| [Limits](limits.md) | no command: words | 2026-11-26, 2 × AMD EPYC | no goals: words |  |  |',
    ]);
  });

  it('fails while limits.md does not say why a goal was missed', () => {
    write('bench-zip.md', '# bench zip', RUN, ON, '- **not met**: p99 ≤ 200 ms: 300 ms');
    expect(() => indexOf(folder)).toThrow(
      new Error('docs/results/bench-zip.md: it misses a goal, and limits.md has no section zip.'),
    );
  });

  it('does not read the page that it makes', () => {
    const { text } = indexOf(folder);
    writeFileSync(join(folder, 'README.md'), text);
    expect(indexOf(folder).text).toBe(text);
  });
});
