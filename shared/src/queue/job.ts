import type { z } from 'zod';
import type { QueueName } from './names.js';

/**
 * The definition of a job: beside its handler, or in this folder when another service enqueues it. The worker.ts of its
 * service registers the handler. The queue may lose a job: whatever enqueues it keeps a row, from which a sweep enqueues it
 * again.
 */
export interface JobDefinition<Data extends object, Name extends string = QueueName> {
  /** Verb-object; the name of the queue and of its jobs. */
  readonly name: Name;
  /** Ids and counts only, since operators see them. A job with invalid data is given up. */
  readonly data: z.ZodType<Data>;
  /** Contains no ':' and is not all digits. While the queue knows an id, even of a completed job, it ignores that id. */
  idOf(data: Data): string;
  /** Total attempts. */
  readonly attempts: number;
  /** Delay before the second attempt; doubles with each later one. */
  readonly backoffMs: number;
  /** An attempt that takes longer is logged, and its signal aborted. */
  readonly deadlineMs: number;
}

/**
 * Runs one attempt of a job. Return: done. Error: retry. UnrecoverableError: give up. It may be called again for a job that
 * is done, even by two workers at once: it reads the row and returns when nothing is left to do. It does not get BullMQ's
 * job, so that it can neither postpone it (bullmq#4814: the job may end without running) nor write to its log.
 */
export type JobHandler<Data extends object> = (data: Data, context: JobContext) => Promise<void>;

export interface JobContext {
  /** 1, 2, … `attempts`; an attempt whose process died is not counted. */
  readonly attempt: number;
  /** Shown to operators: a fraction, or counts. */
  progress(done: number | Readonly<Record<string, number>>): Promise<void>;
  /** Aborted at shutdown and at the deadline. A handler that takes long ends with its reason. */
  readonly signal: AbortSignal;
}

/** Thrown by a handler to give up a job: it fails at once and is kept as failed, with only the code. */
export class UnrecoverableError extends Error {
  override readonly name = 'UnrecoverableError'; // BullMQ identifies it by this
  readonly code: string;

  constructor(code: string, options?: ErrorOptions) {
    super(code, options);
    this.code = code;
  }
}
