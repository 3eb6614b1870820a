import { Worker } from 'node:worker_threads';

const LIMIT_SECONDS = 30;

// In its own thread, which runs even while the main thread hangs.
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

/** Kills the process, with a line of output, when a message takes longer. `report` takes each message’s number. */
export function watch(seed: number): { report(number: number): void; stop(): Promise<unknown> } {
  const shared = new SharedArrayBuffer(4);
  const numbers = new Int32Array(shared);
  const worker = new Worker(CODE, {
    eval: true,
    workerData: { shared, seed, milliseconds: LIMIT_SECONDS * 1_000 },
  });
  return {
    report: (number) => void Atomics.store(numbers, 0, number),
    stop: () => worker.terminate(),
  };
}
