import { randomFillSync } from 'node:crypto';
import { v7 } from 'uuid';

const RANDOM_BYTES = 16;

// Filled for many ids at once: one call to the system for each costs more than all the rest of an id.
const pool = Buffer.alloc(256 * RANDOM_BYTES);
let used = pool.length;

/** A new id: UUID version 7, so that rows created together are close in an index. */
export function newId(): string {
  if (used === pool.length) {
    randomFillSync(pool);
    used = 0;
  }
  const random = pool.subarray(used, used + RANDOM_BYTES);
  used += RANDOM_BYTES;
  return v7({ random });
}
