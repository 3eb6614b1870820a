// Runs on the thread of hashing-thread.ts. JavaScript, because tests run on the sources and Node 20 runs no TypeScript.

import { createHash } from 'node:crypto';
import { parentPort } from 'node:worker_threads';

/** @type {Map<number, import('node:crypto').Hash>} */
const hashes = new Map();

parentPort?.on('message', (request) => {
  const answer = work(request);
  if (answer) parentPort?.postMessage(answer);
});

/**
 * @param {import('./hashing-thread.js').HashingRequest} request
 * @returns {import('./hashing-thread.js').HashingAnswer | undefined}
 */
function work(request) {
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
