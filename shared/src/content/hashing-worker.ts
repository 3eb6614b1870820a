// What runs on the thread of hashing-thread.ts.

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
  const hash = hashes.get(file) ?? createHash('sha256');
  if (request.do === 'update') {
    hashes.set(file, hash.update(request.bytes));
    return {};
  }
  hashes.delete(file);
  return request.do === 'digest' ? { sha256: hash.digest('hex') } : undefined;
}
