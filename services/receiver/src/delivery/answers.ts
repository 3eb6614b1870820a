import { type ErrorCode, Problem } from '@indbakke/shared/errors';
import { askToRetry, logProblem, toProblem } from '@indbakke/shared/http';
import type { Log } from '@indbakke/shared/log';
import type { Request, Response } from 'express';
import type { Intake } from '../intake/receive-message.js';
import type { DeliveryMetrics } from './metrics.js';

/** Echoes Digital Post’s transaction headers, which are optional (SF1601; assumed for SF1606). */
export function echoTransaction(req: Request, res: Response): void {
  for (const name of ['x-TransaktionsId', 'x-TransaktionsTid']) {
    const value = req.get(name);
    if (value !== undefined && /^[\w:.-]{1,64}$/.test(value)) res.set(name, value);
  }
}

/** Counts what became of a delivery, unless it is for practice. */
export function recordReceipt(
  { outcome, isTraining }: Pick<Intake, 'outcome' | 'isTraining'>,
  { metrics, endpoint }: { metrics: DeliveryMetrics; endpoint: string },
): void {
  if (!isTraining) metrics.intake.inc({ endpoint, outcome });
}

/** Counts and logs why a delivery failed, and sets Retry-After when a retry may succeed. */
export function recordRefusal(
  error: unknown,
  res: Response,
  { log, metrics, endpoint }: { log: Log; metrics: DeliveryMetrics; endpoint: string },
): Problem {
  const problem = asIntakeProblem(error);
  if (!problem.isTraining) metrics.intake.inc({ endpoint, outcome: problem.code });
  logProblem(log, problem);
  if (problem.row.again) askToRetry(res);
  return problem;
}

const OURS: readonly ErrorCode[] = ['internal', 'unavailable', 'unknown-outcome'];

/** After an unforeseen error the sender should retry, and also when the message may be stored: the retry finds it. */
function asIntakeProblem(error: unknown): Problem {
  const problem = toProblem(error);
  if (!OURS.includes(problem.code)) return problem;
  return new Problem('send-again', 'The message could not be stored now. Send it again.', {
    cause: error,
  });
}
