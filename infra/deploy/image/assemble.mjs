// node infra/deploy/image/assemble.mjs FOLDER    fills a new folder with what the image has, from a built repository:
// what contents.mjs names, the packages that run, and a list of these (sbom.json, CycloneDX).

import { execFileSync } from 'node:child_process';
import { cpSync, mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { CONTENTS } from './contents.mjs';

const repository = fileURLToPath(new URL('../../..', import.meta.url));
const FOR_DEVELOPMENT = /\.(d\.ts|tsbuildinfo|map)$/;

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
writeFileSync(join(folder, 'sbom.json'), npm('sbom', '--omit=dev', '--sbom-format=cyclonedx'));

function npm(...args) {
  return execFileSync('npm', args, { cwd: folder, maxBuffer: 2 ** 28, stdio: ['ignore', 'pipe', 'inherit'] });
}
