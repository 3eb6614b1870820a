import { existsSync } from 'node:fs';
import type { Env } from '@indbakke/shared/config';

const FOLDERS = ['x86_64-linux-gnu', 'aarch64-linux-gnu'];
const LIBRARY = FOLDERS.map((folder) => `/usr/lib/${folder}/faketime/libfaketime.so.1`).find((file) =>
  existsSync(file),
);

/** Warns when it is false. */
export const HAS_FAKETIME = LIBRARY !== undefined;
if (!HAS_FAKETIME) {
  console.warn('libfaketime is not installed (Debian package faketime): all processes have the clock of the machine.');
}

/** Gives a process a clock that is wrong by so much: `+1h`, `-1h`. Its timers go as ever. */
export function withClock(offset: string): Env {
  return LIBRARY === undefined ? {} : { LD_PRELOAD: LIBRARY, FAKETIME: offset, FAKETIME_DONT_FAKE_MONOTONIC: '1' };
}
