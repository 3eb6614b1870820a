import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { removePostgres, repository } from '../../../../tools/local-state.mjs';
import { atMost, type Bench, type Outcome, type Size } from './bench.js';
import { median, millisecondsOf, rounded, spread } from './measure.js';
import type { Place } from './place.js';

const LIMIT_MS = 60_000;

export const start: Bench = {
  name: 'start',
  measures: 'From `npm start` to ready: the first time (with initdb) and again.',

  async run(place: Place, size: Size): Promise<Outcome> {
    const [first, again]: [number[], number[]] = [[], []];
    for (let round = 0; round < size.rounds; round += 1) {
      const state = join(place.folder('starts'), String(round));
      mkdirSync(state);
      place.atEnd(() => removePostgres(state));
      first.push(await startOnce(place, state));
      again.push(await startOnce(place, state));
    }
    const seconds = { first_s: rounded(median(first) / 1_000), again_s: rounded(median(again) / 1_000) };
    return {
      columns: ['', 'ms, median (least–most)', 'rounds'],
      rows: [
        ['npm start, new state', spread(first), String(first.length)],
        ['npm start, again', spread(again), String(again.length)],
      ],
      figures: seconds,
      goals: [atMost('the first time', seconds.first_s, 5, ' s'), atMost('again', seconds.again_s, 5, ' s')],
      notes: ['Half a second of this checks the build (turbo).'],
    };
  },
};

/** Starts the local stack on this state, and stops it when it is ready. @returns milliseconds */
async function startOnce(place: Place, state: string): Promise<number> {
  const { PATH, HOME } = process.env;
  const npm = spawn('npm', ['start'], {
    cwd: repository,
    env: { PATH, HOME, STATE_DIR: state, PORT: '0' },
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: true, // its own process group, so that all of it can be stopped
  });
  const exited = once(npm, 'exit');
  exited.catch(() => {});
  const stopGroup = async (signal: NodeJS.Signals) => {
    if (npm.exitCode !== null || npm.signalCode !== null || npm.pid === undefined) return;
    process.kill(-npm.pid, signal);
    await exited;
  };
  place.atEnd(() => stopGroup('SIGTERM'));
  let output = '';
  const ready = new Promise<void>((resolve, reject) => {
    npm.stdout.on('data', (text) => {
      output += text;
      if (/^ready$/m.test(output)) resolve();
    });
    npm.stderr.on('data', (text) => {
      output += text;
    });
    exited.then(() => reject(new Error(`npm start ended before it was ready:\n${output}`)), reject);
    setTimeout(() => reject(new Error(`npm start is not ready after a minute:\n${output}`)), LIMIT_MS).unref();
  });
  const milliseconds = await millisecondsOf(() => ready);
  await stopGroup('SIGTERM');
  return milliseconds;
}
