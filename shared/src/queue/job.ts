import type { z } from 'zod';

/**
 * A job is defined once, by one of these, beside its handler, or in this folder when another service enqueues it. A line in
 * the worker.ts of its service has it worked. The queue may lose a job: what enqueues it keeps a row that a sweep enqueues
 * again.
 */
export interface JobDefinition<Data extends object> {
  /** Verb-object: of the queue and of its jobs. */
  readonly name: string;
  /** Ids and counts only, since operators see them. A job whose data do not fit is given up. */
  readonly data: z.ZodType<Data>;
  /** Holds no ':' and is not all digits. The queue takes a job once as long as it knows its id, also when it is done. */
  idOf(data: Data): string;
  /** Attempts in all. */
  readonly attempts: number;
  /** Before the second attempt; doubles with each one after it. */
  readonly backoffMs: number;
  /** An attempt that takes longer is logged, and its signal aborted. */
  readonly deadlineMs: number;
}

/**
 * Does one attempt of a job: a return is done, an error is tried again, an UnrecoverableError is given up. It may be called
 * again for a job that was done, by two workers at once too: it reads the row, and returns quietly when nothing is left to do.
 * It never gets the job of BullMQ, so that it can neither postpone it (bullmq#4814: may end it unrun) nor write to its log.
 */
export type JobHandler<Data extends object> = (data: Data, context: JobContext) => Promise<void>;

export interface JobContext {
  /** 1, 2, … `attempts`; one that ended with its process is not counted. */
  readonly attempt: number;
  /** Shown to operators: numbers only, a fraction or counts. */
  progress(done: number | Readonly<Record<string, number>>): Promise<void>;
  /** Aborted when the process is told to end, and at the deadline. A handler that takes long ends with its reason. */
  readonly signal: AbortSignal;
}

/** Thrown by a handler to give a job up: it fails at once and is kept as failed, with the code alone. */
export class UnrecoverableError extends Error {
  override readonly name = 'UnrecoverableError'; // by which BullMQ knows it
  readonly code: string;

  constructor(code: string, options?: ErrorOptions) {
    super(code, options);
    this.code = code;
  }
}
