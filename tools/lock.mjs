// A lock between processes that survives crashes. Plain Node, no dependency.
//
// The lock is a folder of numbered files; the highest number is the owner, known by process id and start time. Whoever
// finds the highest one released or dead makes the next number, which only one process can (O_EXCL), and then looks
// again whether it is still the highest: a slow process may have counted on from a number that is long past. The highest
// file is never removed, so that no number is ever given twice. (A lock file that is removed when its owner is dead can
// be removed twice, the second time from under a living owner.)

import { linkSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { isRunning, newMark, thisProcess } from './local-state.mjs';

/**
 * Runs the work while no other process of this machine runs work under the same folder.
 * `onWait` is called once, with the owner's process id, when there is one to wait for.
 */
export async function withLock(folder, onWait, work) {
  const number = await acquire(folder, onWait);
  try {
    return await work();
  } finally {
    renameSync(draft(folder, {}), join(folder, String(number))); // released
  }
}

async function acquire(folder, onWait) {
  mkdirSync(folder, { recursive: true });
  let told = false;
  for (;;) {
    const { number, owner } = highest(folder);
    if (owner !== undefined && isRunning(owner)) {
      if (!told) {
        onWait(owner.pid);
      }
      told = true;
      await pause(200);
    } else if (take(folder, number + 1)) {
      return number + 1;
    }
  }
}

function numbersIn(folder) {
  return readdirSync(folder)
    .filter((name) => /^\d+$/.test(name))
    .map(Number);
}

function highest(folder) {
  const number = Math.max(0, ...numbersIn(folder));
  return { number, owner: number === 0 ? undefined : read(folder, number) };
}

/** Undefined when the file went away in between: then a higher one is there, and `take` finds that out. */
function read(folder, number) {
  try {
    return JSON.parse(readFileSync(join(folder, String(number)), 'utf8'));
  } catch (error) {
    if (error.code === 'ENOENT') {
      return undefined;
    }
    throw new Error(
      `The lock ${join(folder, String(number))} cannot be read (${error.message}). Remove ${folder} and try again.`,
    );
  }
}

function take(folder, number) {
  if (!create(folder, number)) {
    return false;
  }
  const numbers = numbersIn(folder);
  if (Math.max(...numbers) > number) {
    rmSync(join(folder, String(number)));
    return false;
  }
  for (const past of numbers.filter((other) => other < number)) {
    rmSync(join(folder, String(past)), { force: true });
  }
  return true;
}

/** The file appears with its content or not at all: a link, unlike rename, fails when the name is taken. */
function create(folder, number) {
  const file = draft(folder, thisProcess());
  try {
    linkSync(file, join(folder, String(number)));
    return true;
  } catch (error) {
    if (error.code === 'EEXIST') {
      return false;
    }
    throw error;
  } finally {
    rmSync(file);
  }
}

function draft(folder, content) {
  const file = join(folder, `draft-${newMark()}`);
  writeFileSync(file, JSON.stringify(content));
  return file;
}
