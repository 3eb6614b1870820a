// `npm run reset`: stops the PostgreSQL of the state folder and removes the state. Plain Node without dependencies, because
// node_modules may be missing or broken.

import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { basename } from 'node:path';
import {
  isRunning,
  localFileOf,
  markIsAlive,
  postgresUsersOf,
  removeCreated,
  removePostgres,
  removeUnusedBinaries,
  stateFolder,
  testClustersOf,
} from './local-state.mjs';

const USAGE = `npm run reset    stops leftover processes and removes what Indbakke created in .indbakke, or in the folder STATE_DIR`;

const stateDir = stateFolder();
const args = process.argv.slice(2);

try {
  if (args.includes('--help') || args.includes('-h')) {
    console.log(USAGE);
  } else if (args.length > 0) {
    throw new Error(`reset takes no arguments; nothing was removed.\n\n${USAGE}`);
  } else {
    await reset();
  }
} catch (error) {
  console.error(error.message);
  process.exitCode = 1;
}

async function reset() {
  if (existsSync(stateDir) && !statSync(stateDir).isDirectory()) {
    throw new Error(`STATE_DIR (${stateDir}) is not a folder. Nothing was removed.`);
  }
  failIfUsed();
  for (const folder of [...testClustersOf(stateDir), stateDir]) {
    await removePostgres(folder);
  }
  removeCreated(stateDir);
  removeUnusedBinaries();
  const foreign = existsSync(stateDir) ? readdirSync(stateDir) : [];
  console.log(
    foreign.length === 0
      ? `Nothing is left in ${stateDir}.`
      : `Nothing of Indbakke is left in ${stateDir}. Other files stay: ${foreign.join(', ')}.`,
  );
}

function failIfUsed() {
  const stack = runningStack();
  if (stack !== undefined) {
    throw new Error(
      `The local stack is running (process ${stack.pid}, ${stack.url}). Stop it with Ctrl-C, or: kill ${stack.pid}. Then reset again.`,
    );
  }
  const testers = testClustersOf(stateDir).map((folder) => basename(folder));
  const [user] = [...postgresUsersOf(stateDir), ...testers.filter(markIsAlive)];
  if (user !== undefined) {
    const pid = user.split('-')[0];
    throw new Error(
      `Process ${pid} uses the database in ${stateDir}. Wait until it ends, or: kill ${pid}. Then reset again.`,
    );
  }
}

function runningStack() {
  try {
    const stack = JSON.parse(readFileSync(localFileOf(stateDir), 'utf8'));
    return isRunning(stack) ? stack : undefined;
  } catch {
    return undefined; // missing or invalid
  }
}
