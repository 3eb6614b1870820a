import { availableParallelism } from 'node:os';
import { defineConfig } from 'vitest/config';

// The `source` condition of our packages' exports: a change needs no build to be tested.
const fromSources = { resolve: { conditions: ['source', 'node'] } };

export default defineConfig({
  environments: { ssr: fromSources, __vitest__: fromSources }, // of the tests, and of their global set-up
  test: {
    include: ['shared/test/**/*.test.ts', 'services/*/test/**/*.test.ts', 'infra/test/**/*.test.ts'],
    testTimeout: 60_000,
    hookTimeout: 120_000,
    expect: { poll: { timeout: 20_000 } }, // other files share the processors
    pool: 'forks',
    // The files share a few processes: to import everything anew takes 2 s of CPU a file. A hook at the top of a module
    // that several files import would run for the first of them only.
    isolate: false,
    maxWorkers: 2 * availableParallelism(), // more than cores, since many tests mostly wait
    tags: [
      { name: 'long', description: 'Left out by `npm test`, run by `npm run test:all` and CI' },
      { name: 'lab', description: 'Fills the machine: run by `npm run test:lab` and CI, one after the other' },
    ],
    globalSetup: ['infra/test/global-setup.ts'],
  },
});
