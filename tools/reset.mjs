// `npm run reset`: stops the PostgreSQL of this clone's state folder and removes the state. Plain Node, no dependency, so
// that it also helps when node_modules is missing or broken.

import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { basename } from 'node:path';
import {
  isRunning,
  localFileOf,
  markIsAlive,
  postgresUsersOf,
  removeMade,
  removePostgres,
  removeUnusedBinaries,
  stateFolder,
  testClustersOf,
} from './local-state.mjs';

const USAGE = `npm run reset    stops what is left running and removes the state: what Indbakke made in .indbakke, or in the folder that
                 STATE_DIR names`;

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
    throw new Error(`STATE_DIR names ${stateDir}, which is no folder. Nothing was removed.`);
  }
  refuseWhileUsed();
  for (const folder of [...testClustersOf(stateDir), stateDir]) {
    await removePostgres(folder);
  }
  removeMade(stateDir);
  removeUnusedBinaries();
  const foreign = existsSync(stateDir) ? readdirSync(stateDir) : [];
  console.log(
    foreign.length === 0
      ? `Nothing is left in ${stateDir}.`
      : `Nothing of Indbakke is left in ${stateDir}. What it did not make stays: ${foreign.join(', ')}.`,
  );
}

function refuseWhileUsed() {
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
      `Process ${pid} uses the database in ${stateDir}. Wait for its end, or: kill ${pid}. Then reset again.`,
    );
  }
}

function runningStack() {
  try {
    const stack = JSON.parse(readFileSync(localFileOf(stateDir), 'utf8'));
    return isRunning(stack) ? stack : undefined;
  } catch {
    return undefined; // no file, or not one that a stack wrote
  }
}
