// Runs on the thread of hashing-thread.ts. JavaScript, because tests run on the sources and Node 20 runs no TypeScript.

import { createHash } from 'node:crypto';
import { parentPort } from 'node:worker_threads';
import { crc32 } from 'node:zlib';

/** @type {Map<number, { sha256: import('node:crypto').Hash, crc32: number }>} */
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
    const { sha256, crc32: before } = hashes.get(file) ?? { sha256: createHash('sha256'), crc32: 0 };
    hashes.set(file, { sha256: sha256.update(request.bytes), crc32: crc32(request.bytes, before) });
    return { file };
  }
  const hash = hashes.get(file);
  hashes.delete(file);
  if (request.do === 'drop') return undefined;
  if (!hash) throw new Error('A digest was requested of a hash that was not begun.');
  return { file, sums: { sha256: hash.sha256.digest('hex'), crc32: hash.crc32 } };
}
