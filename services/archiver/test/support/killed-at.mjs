// Loaded before a service: its process dies at the crash point KILL_AT, the KILL_COUNT-th time that it is passed.
import { subscribe } from 'node:diagnostics_channel';

let left = Number(process.env.KILL_COUNT ?? '1');
subscribe('indbakke:crash-point', ({ point }) => {
  if (point !== process.env.KILL_AT) return;
  left -= 1;
  if (left === 0) process.kill(process.pid, 'SIGKILL');
});
