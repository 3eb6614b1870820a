// Checks imports between packages, as part of `npm run lint`: a service does not import another, shared is imported through
// its entry points only and imports neither services nor infra, and an npm package must be in the package.json of its
// importer. Prints a line per violation and then exits with 1.
//
// Imports are found with regular expressions, not a parser; import() of a non-literal is not seen.

import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { builtinModules } from 'node:module';
import { basename, dirname, join, relative, resolve, sep } from 'node:path';
import { fileURLToPath } from 'node:url';

/** Quoted text (kept, so that '/*' in it starts no comment) or a comment (blanked, but its line breaks kept). */
const QUOTE_OR_COMMENT = /("(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*'|`(?:\\.|[^`\\\n])*`)|\/\/[^\n]*|\/\*[\s\S]*?\*\//g;

const IMPORTS = [
  // import x, { y } from 'z'; import 'z'; export * from 'z'
  /^[ \t]*(?:import|export)\b\s*(?<type>type\s)?(?:[\w$*{},\s]*?\bfrom\b\s*)?(?<quote>['"])(?<specifier>[^'"\n]+)\k<quote>/gm,
  // import('z'), require('z'), typeof import('z')
  /\b(?:import|require)\s*\(\s*(?<quote>['"`])(?<specifier>[^'"`\n]+)\k<quote>/g,
];

const repository = dirname(dirname(fileURLToPath(import.meta.url)));
const packages = ['shared', ...foldersIn('services'), 'infra'].map(readPackage);
const SHARED = packages[0].name;

const faults = packages.flatMap((owner) => sourceFiles(owner.src).flatMap((file) => faultsIn(file, owner)));
for (const fault of faults) {
  console.error(fault);
}
process.exitCode = faults.length === 0 ? 0 : 1;

function foldersIn(folder) {
  const entries = readdirSync(join(repository, folder), { withFileTypes: true });
  return entries.filter((entry) => entry.isDirectory()).map((entry) => join(folder, entry.name));
}

function readPackage(folder) {
  const {
    name,
    dependencies = {},
    devDependencies = {},
  } = JSON.parse(readFileSync(join(repository, folder, 'package.json'), 'utf8'));
  const kind = folder.startsWith('services') ? 'service' : folder;
  return { name, kind, src: join(repository, folder, 'src'), dependencies, devDependencies };
}

function sourceFiles(folder) {
  if (!existsSync(folder)) {
    return [];
  }
  const entries = readdirSync(folder, { withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile() && /\.[cm]?tsx?$/.test(entry.name));
  const folders = entries.filter((entry) => entry.isDirectory() && entry.name !== 'generated');
  return [
    ...files.map((entry) => join(folder, entry.name)),
    ...folders.flatMap((entry) => sourceFiles(join(folder, entry.name))),
  ];
}

function faultsIn(file, owner) {
  return importsOf(readFileSync(file, 'utf8')).flatMap(({ specifier, typeOnly, line }) => {
    const why = faultOf(specifier, typeOnly, file, owner);
    return why === undefined ? [] : [`${relative(repository, file)}:${line} imports ${specifier}: ${why}`];
  });
}

// Reading

function importsOf(source) {
  const text = source.replace(QUOTE_OR_COMMENT, (found, quoted) => quoted ?? found.replace(/[^\n]/g, ' '));
  return IMPORTS.flatMap((pattern) =>
    [...text.matchAll(pattern)].map((match) => ({
      specifier: match.groups.specifier,
      typeOnly: match.groups.type !== undefined,
      // The line of the specifier: `import` may be many lines above.
      line: text.slice(0, match.index + match[0].length).split('\n').length,
    })),
  );
}

// Judging

/** Why this import is not allowed; undefined when it is. */
function faultOf(specifier, typeOnly, file, owner) {
  if (specifier.startsWith('.') || specifier.startsWith('/')) {
    return faultOfPath(resolve(dirname(file), specifier), owner);
  }
  if (specifier.startsWith('node:') || builtinModules.includes(specifier)) {
    return undefined;
  }
  const name = specifier.split('/', specifier.startsWith('@') ? 2 : 1).join('/');
  const target = packages.find((other) => other.name === name);
  const fault = target === undefined ? undefined : faultOfPackage(specifier, target, owner);
  return fault ?? faultOfDependency(name, typeOnly, owner);
}

function faultOfPath(path, owner) {
  if (path.startsWith(owner.src + sep)) {
    return undefined;
  }
  // Plain Node modules that tools and the local stack share.
  if (owner.kind === 'infra' && dirname(path) === join(repository, 'tools') && path.endsWith('.mjs')) {
    return undefined;
  }
  return `it is outside ${relative(repository, owner.src)}; import other packages by name`;
}

/** Between the packages of this repository. */
function faultOfPackage(specifier, target, owner) {
  if (target === owner) {
    return 'a package imports its own files by relative paths';
  }
  if (target.name === SHARED) {
    return faultOfEntryPoint(specifier);
  }
  if (owner.kind !== 'infra') {
    return owner.kind === 'shared'
      ? 'shared imports neither services nor infra'
      : 'a service imports neither another service nor infra; shared code belongs in shared';
  }
  return specifier === target.name ? undefined : `only ${target.name} itself is an entry point`;
}

function faultOfEntryPoint(specifier) {
  const entryPoint = specifier.slice(SHARED.length + 1);
  const file = join(packages[0].src, entryPoint, 'index.ts');
  if (entryPoint !== '' && entryPoint === basename(entryPoint) && existsSync(file)) {
    return undefined;
  }
  return 'shared has no such entry point; each shared/src/<name>/index.ts is one';
}

/** Types may come from development dependencies: they do not exist at run time. */
function faultOfDependency(name, typeOnly, { name: ownerName, dependencies, devDependencies }) {
  const types = `@types/${name.replace(/^@(.+)\//, '$1__')}`;
  if (name in dependencies || (typeOnly && (name in devDependencies || types in devDependencies))) {
    return undefined;
  }
  return `${name} is not in the "dependencies" of ${ownerName}`;
}
