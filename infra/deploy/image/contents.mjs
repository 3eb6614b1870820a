// What the image has, beside the packages that run. Whatever is not named here is not in it: no local issuer, no embedded
// PostgreSQL, no tests, no lab.

/** What the image runs, each with the module that does it. */
export const COMMANDS = {
  receiver: 'services/receiver/dist/main.js',
  journaler: 'services/journaler/dist/main.js',
  archiver: 'services/archiver/dist/main.js',
  operations: 'services/operations/dist/main.js',
  migrate: 'infra/dist/local/migrate.js',
  municipality: 'infra/dist/local/municipality.js',
  config: 'infra/dist/local/config.js',
  ledger: 'infra/dist/local/ledger.js',
  audit: 'infra/dist/local/audit.js',
  scrub: 'infra/dist/local/scrub.js',
  revoke: 'infra/dist/local/revoke.js',
  'scan-again': 'infra/dist/local/scan-again.js',
  'rotate-key': 'infra/dist/local/rotate-key.js',
  'restore-check': 'infra/dist/local/restore-check.js',
  'reapply-deletions': 'infra/dist/local/reapply-deletions.js',
  'move-content': 'infra/dist/local/move-content.js',
  healthcheck: 'infra/deploy/image/healthcheck.mjs',
};

const HELPERS = [
  'command',
  'database',
  'of-npm-start',
  'owners-keys',
  'register-municipality',
  'with-owner-url',
  'with-parts',
];

export const WORKSPACES = [
  'shared',
  'services/receiver',
  'services/journaler',
  'services/archiver',
  'services/operations',
  'infra',
];

/** Files and folders, by their paths from the root of the repository. */
export const CONTENTS = [
  'package.json',
  'package-lock.json',
  '.npmrc',
  'LICENSE',
  ...WORKSPACES.map((name) => `${name}/package.json`),
  ...WORKSPACES.filter((name) => name !== 'infra').map((name) => `${name}/dist`),
  'shared/prisma/migrations',
  'infra/deploy/image/contents.mjs',
  'infra/deploy/image/indbakke.mjs',
  ...Object.values(COMMANDS).filter((module) => module.startsWith('infra/')),
  ...HELPERS.map((name) => `infra/dist/local/${name}.js`),
];
