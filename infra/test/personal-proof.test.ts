import { expect, it } from 'vitest';
import { launchCommand } from '../src/testkit/command.js';

it('of what is planted everywhere, faults included, nothing is in logs, metrics, traces, jobs, pages, refusals, processes or names of files', {
  tags: 'lab',
  timeout: 240_000,
}, async () => {
  const { output, errors, status } = await launchCommand('../lab/personal-proof/main', ['--queue', 'postgresql']).ended;

  expect(status, `${output}${errors}`).toBe(0);
  const [, found, planted] = /(\d+) of the (\d+) in stored letters and documents are found/.exec(output) ?? [];
  expect(Number(found)).toBeGreaterThan(40);
  expect(found).toBe(planted);
  expect(output).toContain('Errors of deliveries not reached: none');
  for (const area of [
    'logs of the services',
    'metrics',
    'traces',
    'jobs',
    'pages',
    'refusals',
    'processes',
    'names of files',
  ])
    expect(output).toMatch(new RegExp(`${area}: [1-9]\\d* files, .* found 0`));
  expect(output).toMatch(/\nfound 0\n/);
});
