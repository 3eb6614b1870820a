import { Worker } from 'node:worker_threads';

const PATIENCE_SECONDS = 30;

// In a thread of its own: nothing else runs while the main one hangs.
const CODE = `
  const { workerData } = require('node:worker_threads');
  const { writeSync } = require('node:fs');
  const number = new Int32Array(workerData.shared);
  let last = -1;
  setInterval(() => {
    const now = Atomics.load(number, 0);
    if (now === last) {
      writeSync(1, 'FAILURE hangs: message ' + now + ' of seed ' + workerData.seed + '\\nfuzz: hung, failures 1\\n');
      process.kill(process.pid, 'SIGKILL');
    }
    last = now;
  }, workerData.milliseconds);
`;

/** Ends the process, with a line, when one message takes for ever. Tell it each message’s number. */
export function watch(seed: number): { tell(number: number): void; stop(): Promise<unknown> } {
  const shared = new SharedArrayBuffer(4);
  const numbers = new Int32Array(shared);
  const worker = new Worker(CODE, {
    eval: true,
    workerData: { shared, seed, milliseconds: PATIENCE_SECONDS * 1_000 },
  });
  return {
    tell: (number) => void Atomics.store(numbers, 0, number),
    stop: () => worker.terminate(),
  };
}
