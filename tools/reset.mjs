// `npm run reset`: stops the PostgreSQL of this clone's state folder and removes the state. Plain Node, no dependency, so
// that it also helps when node_modules is missing or broken.

import { existsSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { basename, join } from 'node:path';
import {
  isRunning,
  localFileOf,
  markIsAlive,
  postgresUsersOf,
  removePostgres,
  removeUnusedBinaries,
  stateFolder,
  testFolderOf,
} from './local-state.mjs';

const stateDir = stateFolder();

try {
  await reset();
} catch (error) {
  console.error(error.message);
  process.exitCode = 1;
}

async function reset() {
  refuseWhileUsed();
  for (const folder of [...testFolders(), stateDir]) {
    await removePostgres(folder);
    rmSync(folder, { recursive: true, force: true, maxRetries: 3 });
  }
  removeUnusedBinaries();
  console.log(`Nothing is left in ${stateDir}.`);
}

function refuseWhileUsed() {
  const stack = runningStack();
  if (stack !== undefined) {
    throw new Error(
      `The local stack is running (process ${stack.pid}, ${stack.url}). Stop it with Ctrl-C, then reset again.`,
    );
  }
  const testers = testFolders().map((folder) => basename(folder));
  const [user] = [...postgresUsersOf(stateDir), ...testers.filter(markIsAlive)];
  if (user !== undefined) {
    throw new Error(
      `Process ${user.split('-')[0]} uses the database in ${stateDir}. Wait for its end, then reset again.`,
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

function testFolders() {
  const folder = testFolderOf(stateDir);
  return existsSync(folder) ? readdirSync(folder).map((name) => join(folder, name)) : [];
}
