import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';

const here = (path: string) => fileURLToPath(new URL(path, import.meta.url));

export default defineConfig({
  resolve: {
    // Tests run on the sources, so that a change needs no build to be tested.
    alias: [
      { find: /^@indbakke\/shared\/(.*)$/, replacement: `${here('shared/src')}/$1/index.ts` },
      { find: /^@indbakke\/(receiver|journaler|archiver)$/, replacement: `${here('services')}/$1/src/app.ts` },
    ],
  },
  test: {
    include: ['shared/test/**/*.test.ts', 'services/*/test/**/*.test.ts', 'infra/test/**/*.test.ts'],
    testTimeout: 30_000,
    hookTimeout: 60_000,
    pool: 'forks',
    globalSetup: ['infra/test/global-setup.ts'],
  },
});
