import { execFile } from 'node:child_process';
import { cp, mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, it } from 'vitest';

// What keeps the packages apart: two rules of Biome (biome.json), the exports of each package.json, and rootDir.
const REFUSED = [
  ['shared imports no service', 'shared/src/a.ts', '@indbakke/receiver', 'noRestrictedImports'],
  ['shared imports no infra', 'shared/src/b.ts', '@indbakke/infra', 'noRestrictedImports'],
  ['a service imports no other service', 'services/receiver/src/a.ts', '@indbakke/journaler', 'noRestrictedImports'],
  ['a service imports no infra', 'services/receiver/src/b.ts', '@indbakke/infra', 'noRestrictedImports'],
  [
    'a service imports its own files by path',
    'services/receiver/src/c.ts',
    '@indbakke/receiver',
    'noRestrictedImports',
  ],
  ['a service imports no tools', 'services/receiver/src/d.ts', '../../../tools/lock.mjs', 'noRestrictedImports'],
  [
    'no source of another package is imported by path',
    'infra/src/a.ts',
    '../../shared/src/log/index.js',
    'noRestrictedImports',
  ],
  ['nothing built is imported by path', 'infra/src/b.ts', '../../shared/dist/log/index.js', 'noRestrictedImports'],
  ['a package that package.json does not name is not imported', 'infra/src/c.ts', 'bullmq', 'noUndeclaredDependencies'],
  ['a package for development is not imported', 'shared/src/c.ts', 'prisma', 'noUndeclaredDependencies'],
  ['the entry points of shared are its folders', 'infra/src/d.ts', '@indbakke/shared/store/failures', 'TS2882'],
  ['a service has one entry point', 'infra/src/e.ts', '@indbakke/journaler/config', 'TS2882'],
  ['no source outside of src is imported', 'services/receiver/src/e.ts', '../test/a.js', 'TS6059'],
] as const;

const ALLOWED = [
  ['a service imports an entry point of shared', 'services/receiver/src/f.ts', '@indbakke/shared/store'],
  ['infra imports a service', 'infra/src/f.ts', '@indbakke/receiver'],
  ['infra imports tools', 'infra/src/g.ts', '../../tools/lock.mjs'],
] as const;

const repository = fileURLToPath(new URL('../..', import.meta.url));
let folder: string;
let faults: string[];

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'indbakke-imports-'));
  for (const file of ['biome.json', '.gitignore', 'package.json', 'tsconfig.base.json']) await copy(file);
  for (const name of [
    'shared',
    'services/receiver',
    'services/journaler',
    'services/archiver',
    'services/operations',
    'infra',
  ]) {
    await copy(`${name}/package.json`);
    await copy(`${name}/tsconfig.json`);
  }
  for (const [, file, imports] of [...REFUSED, ...ALLOWED]) await write(file, `import '${imports}';\n`);
  await write('services/receiver/test/a.ts', 'export {};\n');
  await write('tools/lock.mjs', '');
  await write('tools/lock.d.mts', 'export {};\n');
  const linted = await run('@biomejs/biome/bin/biome', 'lint', '--reporter=github', '--max-diagnostics=none', '.');
  await symlink(join(repository, 'node_modules'), join(folder, 'node_modules')); // Biome cannot bear it
  const compiled = ['services/receiver', 'infra'].map((name) => run('typescript/bin/tsc', '--noEmit', '-p', name));
  faults = [linted, ...(await Promise.all(compiled))].flat();
});

afterAll(() => rm(folder, { recursive: true, force: true }));

async function copy(file: string): Promise<void> {
  await cp(join(repository, file), join(folder, file));
}

async function write(file: string, content: string): Promise<void> {
  await mkdir(dirname(join(folder, file)), { recursive: true });
  await writeFile(join(folder, file), content);
}

/** The lines that a checker prints, whatever its exit status. */
function run(program: string, ...args: string[]): Promise<string[]> {
  const file = join(repository, 'node_modules', program);
  return new Promise((resolve) => {
    execFile(process.execPath, [file, ...args], { cwd: folder }, (_, output) => resolve(output.split('\n')));
  });
}

it.each(REFUSED)('%s', (_, file, _imports, rule) => {
  expect(faults.filter((fault) => fault.includes(file)).join('\n')).toContain(rule);
});

it.each(ALLOWED)('%s', (_, file) => {
  expect(faults.filter((fault) => fault.includes(file))).toEqual([]);
});
