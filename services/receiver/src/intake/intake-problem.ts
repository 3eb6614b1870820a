import { type ErrorCode, Problem } from '@indbakke/shared/errors';
import { toProblem } from '@indbakke/shared/http';

const OURS: readonly ErrorCode[] = ['internal', 'unavailable', 'unknown-outcome'];

/** After an unforeseen error the sender should retry, and also when the message may be stored: the retry finds it. */
export function asIntakeProblem(error: unknown): Problem {
  const problem = toProblem(error);
  if (!OURS.includes(problem.code)) return problem;
  return new Problem('send-again', 'The message could not be stored now. Send it again.', {
    cause: error,
  });
}
