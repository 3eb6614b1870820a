import { z } from 'zod';
import type { JobDefinition } from './job.js';

const SuggestCaseData = z.object({
  messageId: z.uuid(),
  municipality: z.string().regex(/^\d{8}$/),
  /** The n-th attempt to suggest a case for the message, n of the job id. */
  run: z.int().min(1),
});
export type SuggestCaseData = Readonly<z.infer<typeof SuggestCaseData>>;

/**
 * Why it exists: finding the case that a reply belongs to must not delay the receipt. The receiver and the journaler enqueue
 * it, the journaler handles it. The row in `messages` is the outbox; the queue may lose everything.
 */
export const SUGGEST_CASE: JobDefinition<SuggestCaseData> = {
  name: 'suggest-case',
  data: SuggestCaseData,
  idOf: ({ messageId, run }) => `${messageId}-${run}`,
  // 1 s + 2 s + 4 s + 8 s outlasts a restart of the database; after that the sweep takes over.
  attempts: 5,
  backoffMs: 1_000,
  // 5 s for a connection + 30 s for an unanswered statement, for its own batch and the one before it, is 70 s.
  deadlineMs: 70_000,
};

/** How long an enqueued message may wait before the sweep enqueues it again; doubles with each run. */
export const SUGGESTION_OVERDUE_SECONDS = 30;
