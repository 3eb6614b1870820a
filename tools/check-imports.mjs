// Holds the borders between the packages, as part of `npm run lint`: no service imports another, all import shared through
// its entrances only, shared imports neither services nor infra, and nobody imports an npm package that its own
// package.json does not name. Each violation is a line; the exit status is then 1.
//
// It reads import, export … from, import() and require() with regular expressions, not with a parser. Out of its sight:
// import() of something that is no literal.

import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { builtinModules } from 'node:module';
import { basename, dirname, join, relative, resolve, sep } from 'node:path';
import { fileURLToPath } from 'node:url';

/** Quoted text (kept, so that '/*' in it opens nothing) or a comment (blanked, its lines kept for the line numbers). */
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
      // Of the name, not of the word import: that may stand many lines above it.
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
  // Plain Node modules that the tools share with the local stack.
  if (owner.kind === 'infra' && dirname(path) === join(repository, 'tools') && path.endsWith('.mjs')) {
    return undefined;
  }
  return `it lies outside of ${relative(repository, owner.src)}; other packages are imported by their names`;
}

/** Between the packages of this repository. */
function faultOfPackage(specifier, target, owner) {
  if (target === owner) {
    return 'a package imports its own files by relative paths';
  }
  if (target.name === SHARED) {
    return faultOfEntrance(specifier);
  }
  if (owner.kind !== 'infra') {
    return owner.kind === 'shared'
      ? 'shared knows neither services nor infra'
      : 'a service imports no other service and no infra; what both need belongs in shared';
  }
  return specifier === target.name ? undefined : `only ${target.name} itself is its entrance`;
}

function faultOfEntrance(specifier) {
  const entrance = specifier.slice(SHARED.length + 1);
  const file = join(packages[0].src, entrance, 'index.ts');
  if (entrance !== '' && entrance === basename(entrance) && existsSync(file)) {
    return undefined;
  }
  return `shared has no such entrance; there is one for each shared/src/<entrance>/index.ts`;
}

/** Types may come from development packages: nothing of them is left at run time. */
function faultOfDependency(name, typeOnly, { name: ownerName, dependencies, devDependencies }) {
  const types = `@types/${name.replace(/^@(.+)\//, '$1__')}`;
  if (name in dependencies || (typeOnly && (name in devDependencies || types in devDependencies))) {
    return undefined;
  }
  return `the package.json of ${ownerName} does not name ${name} under "dependencies"`;
}
