// node infra/deploy/image/assemble.mjs FOLDER    fills a new folder with what the image has, from a built repository:
// what contents.mjs names, the packages that run, and a list of these (sbom.json, CycloneDX).

import { execFileSync } from 'node:child_process';
import { cpSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { CONTENTS, WORKSPACES } from './contents.mjs';

const repository = fileURLToPath(new URL('../../..', import.meta.url));
const FOR_DEVELOPMENT = /\.(d\.ts|tsbuildinfo|map)$/;
// Optional, and of no use here: pdfjs-dist runs in browsers.
const NEVER_LOADED = ['@napi-rs/canvas'];
// 58 MB of other databases' query compilers.
const PRISMA_RUNTIME = 'node_modules/@prisma/client/runtime';
const OTHER_DATABASES = /\.(cockroachdb|mysql|sqlite|sqlserver)\./;

const [given] = process.argv.slice(2);
if (given === undefined) throw new Error('Name the folder.');
const folder = resolve(given);
mkdirSync(folder); // a new one

for (const path of CONTENTS) {
  mkdirSync(dirname(join(folder, path)), { recursive: true });
  cpSync(join(repository, path), join(folder, path), {
    recursive: true,
    filter: (source) => !FOR_DEVELOPMENT.test(source),
  });
}
npm('ci', '--omit=dev', '--ignore-scripts', '--loglevel=error');

const { packages } = JSON.parse(readFileSync(join(folder, 'package-lock.json'), 'utf8'));
const needed = neededPackages();
for (const path of Object.keys(packages)) {
  if (path.includes('node_modules/') && !needed.has(path)) rmSync(join(folder, path), { recursive: true, force: true });
}
rmSync(join(folder, 'node_modules/.bin'), { recursive: true });
for (const name of readdirSync(join(folder, PRISMA_RUNTIME))) {
  if (OTHER_DATABASES.test(name)) rmSync(join(folder, PRISMA_RUNTIME, name));
}
writeFileSync(join(folder, 'sbom.json'), JSON.stringify(listOfPackages(), undefined, 2));

/**
 * The packages that something at run time asks for, by their paths. npm also installs what is only an optional peer: with Prisma's client its
 * command, with engines and a studio, 300 MB.
 */
function neededPackages() {
  const found = new Set();
  const wanted = [...WORKSPACES];
  for (let path = wanted.pop(); path !== undefined; path = wanted.pop()) {
    if (found.has(path)) continue;
    found.add(path);
    const {
      dependencies,
      optionalDependencies,
      peerDependencies,
      peerDependenciesMeta = {},
      link,
      resolved,
    } = packages[path];
    if (link) wanted.push(resolved);
    const peers = Object.keys(peerDependencies ?? {}).filter((name) => !peerDependenciesMeta[name]?.optional);
    for (const name of [...Object.keys({ ...dependencies, ...optionalDependencies }), ...peers]) {
      const dependency = NEVER_LOADED.includes(name) ? undefined : findPackage(path, name);
      if (dependency !== undefined) wanted.push(dependency);
    }
  }
  return found;
}

/** As Node finds it: beside the package, then further out. Undefined of an optional one for other machines. */
function findPackage(path, name) {
  for (let from = path; ; from = from.slice(0, Math.max(0, from.lastIndexOf('/')))) {
    const candidate = join(from, 'node_modules', name);
    if (candidate in packages) return candidate;
    if (from === '') return undefined;
  }
}

/** npm's list of what the lock file has, without what is not needed. */
function listOfPackages() {
  const list = JSON.parse(npm('sbom', '--package-lock-only', '--sbom-format=cyclonedx'));
  const versions = new Set(
    [...needed].map((path) => `${packages[path].name ?? path.split('node_modules/').at(-1)}@${packages[path].version}`),
  );
  const components = list.components.filter(({ name, version }) => versions.has(`${name}@${version}`));
  const refs = new Set([list.metadata.component['bom-ref'], ...components.map((component) => component['bom-ref'])]);
  const dependencies = list.dependencies
    .filter(({ ref }) => refs.has(ref))
    .map(({ ref, dependsOn }) => ({ ref, dependsOn: dependsOn.filter((each) => refs.has(each)) }));
  return { ...list, components, dependencies };
}

function npm(...args) {
  return execFileSync('npm', args, { cwd: folder, maxBuffer: 2 ** 28, stdio: ['ignore', 'pipe', 'inherit'] });
}
