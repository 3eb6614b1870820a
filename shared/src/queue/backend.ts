import type { Processor, Queue, Worker } from 'bullmq';

/** Where BullMQ stores its queues. */
export interface Backend {
  queue(name: string): Queue;
  worker(name: string, concurrency: number, process: Processor): Worker;
  /** From so many jobs on, adding them in one call costs less than one by one. */
  readonly bulkFrom: number;
  onError(listener: (error: Error) => void): void;
  /** @throws at once when the backend is away, where adding would wait for it */
  reach(): Promise<void>;
  /** @throws NotReady with the reason, or any other error */
  check(): Promise<void>;
  close(): Promise<void>;
}

// The jobs of a worker that died go to another one within lock + check: 15 s.
const LOCK_MS = 10_000;
const STALLED_CHECK_MS = 5_000;

/** Interval between attempts to reach a backend that is away. */
export const RETRY_MS = 1_000;

export const workerOptions = (concurrency: number) => ({
  concurrency,
  autorun: false,
  lockDuration: LOCK_MS,
  stalledInterval: STALLED_CHECK_MS,
  runRetryDelay: RETRY_MS,
});
