// Runs on the thread of hashing-thread.ts.

import { createHash, type Hash } from 'node:crypto';
import { parentPort } from 'node:worker_threads';
import type { HashingAnswer, HashingRequest } from './hashing-thread.js';

const hashes = new Map<number, Hash>();

parentPort?.on('message', (request: HashingRequest) => {
  const answer = work(request);
  if (answer) parentPort?.postMessage(answer);
});

function work(request: HashingRequest): HashingAnswer | undefined {
  const { file } = request;
  if (request.do === 'update') {
    const hash = hashes.get(file) ?? createHash('sha256');
    hashes.set(file, hash.update(request.bytes));
    return { file };
  }
  const hash = hashes.get(file);
  hashes.delete(file);
  if (request.do === 'drop') return undefined;
  if (!hash) throw new Error('A digest was requested of a hash that was not begun.');
  return { file, sha256: hash.digest('hex') };
}
