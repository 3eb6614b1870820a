// A lock between processes that survives crashes. Plain Node without dependencies.
//
// The lock is a folder of numbered files; the highest number is the owner's, with its process id and start time. A process
// that finds the highest one released or its owner dead creates the next number, which only one process can do, and checks
// that it is still the highest: it may have started from an old number. The highest file is never removed, so that no number
// is used twice. (If the lock file of a dead owner were removed, a slow process could remove the file of the next owner.)

import { linkSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { isRunning, newMark, thisProcess } from './local-state.mjs';

/**
 * Runs `work` while no other process of this machine holds the lock in `folder`.
 * `onWait` is called once, with the owner's process id, if the lock is taken.
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
  let reported = false;
  for (;;) {
    const { number, owner } = highest(folder);
    if (owner !== undefined && isRunning(owner)) {
      if (!reported) {
        onWait(owner.pid);
      }
      reported = true;
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

/** Undefined when the file was removed meanwhile: then a higher one exists, and `take` notices. */
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
