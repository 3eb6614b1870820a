// Loaded before a command (NODE_OPTIONS=--import=…): kills the process at the crash point KILL_AT.

import { subscribe } from 'node:diagnostics_channel';
import { CRASH_POINT_CHANNEL } from '@indbakke/shared/crash-points';

subscribe(CRASH_POINT_CHANNEL, ({ point }) => {
  if (point === process.env.KILL_AT) process.kill(process.pid, 'SIGKILL');
});
