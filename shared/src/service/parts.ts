import { createTokenVerifier, type TokenVerifier } from '../access/index.js';
import type { CommonConfig } from '../config/index.js';
import { type BlobStore, type KeyRing, loadKeyRing, openBlobStore } from '../content/index.js';
import { createLog, type Log } from '../log/index.js';
import { createMetrics, type Metrics, observeQueues } from '../metrics/index.js';
import { openQueues, type Queues } from '../queue/index.js';
import { openStore, type Store } from '../store/index.js';

/** The real parts that a process works with, opened once and shared by the services in it. */
export interface Parts {
  readonly store: Store;
  readonly blobs: BlobStore;
  readonly keys: KeyRing;
  readonly queues: Queues;
  readonly tokens: TokenVerifier;
  readonly metrics: Metrics;
  readonly log: Log;
}

export async function openParts(config: CommonConfig, name: string): Promise<Parts> {
  const log = createLog(name, config.LOG_LEVEL);
  const keys = await loadKeyRing(config.KEY_FILE);
  const blobs = await openBlobStore(config.BLOB_URL);
  const tokens = await createTokenVerifier({
    issuer: config.TOKEN_ISSUER,
    audience: config.TOKEN_AUDIENCE,
    jwks: config.TOKEN_JWKS,
  });
  const store = openStore({ url: config.DATABASE_URL, connections: config.DATABASE_CONNECTIONS, name });
  const queues = openQueues({ url: config.QUEUE_URL ?? config.DATABASE_URL, log });
  const metrics = createMetrics();
  observeQueues(metrics, queues);
  return { store, blobs, keys, queues, tokens, metrics, log };
}
