import { Problem } from '@indbakke/shared/errors';
import { askToRetry, logProblem, toProblem } from '@indbakke/shared/http';
import type { Log } from '@indbakke/shared/log';
import type { Request, Response } from 'express';
import type { DeliveryMetrics } from './metrics.js';

/** Digital Post’s transaction headers are echoed, never required (SF1601’s; assumed for SF1606). */
export function echoTransaction(req: Request, res: Response): void {
  for (const name of ['x-TransaktionsId', 'x-TransaktionsTid']) {
    const value = req.get(name);
    if (value !== undefined && /^[\w:.-]{1,64}$/.test(value)) res.set(name, value);
  }
}

/** What a delivery failed of, counted and logged. The caller is told in a header when it is worth sending again. */
export function recordRefusal(
  error: unknown,
  res: Response,
  { log, metrics, endpoint }: { log: Log; metrics: DeliveryMetrics; endpoint: string },
): Problem {
  const problem = asIntakeProblem(error);
  metrics.intake.inc({ endpoint, outcome: problem.code });
  logProblem(log, problem);
  if (problem.row.again) askToRetry(res);
  return problem;
}

/** On the way in there is no `internal`: what nobody foresaw is worth another try by the sender. */
function asIntakeProblem(error: unknown): Problem {
  const problem = toProblem(error);
  if (problem.code !== 'internal' && problem.code !== 'unavailable') return problem;
  return new Problem('send-again', 'The message could not be stored now. Send it again.', {
    cause: error,
  });
}
