// What the image runs: a service or a command of an operator, by its name, in this process, so that signals reach it.

import { fileURLToPath } from 'node:url';
import { COMMANDS } from './contents.mjs';

const [name, ...args] = process.argv.slice(2);
if (name !== undefined && Object.hasOwn(COMMANDS, name)) {
  const module = new URL(`../../../${COMMANDS[name]}`, import.meta.url);
  process.argv = [process.execPath, fileURLToPath(module), ...args];
  await import(module.href);
} else {
  console.error(`Name what to run: ${Object.keys(COMMANDS).join(', ')}.`);
  process.exitCode = 2;
}
