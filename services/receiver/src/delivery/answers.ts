import type { Problem } from '@indbakke/shared/errors';
import { askToRetry, logProblem } from '@indbakke/shared/http';
import type { Log } from '@indbakke/shared/log';
import type { Tally } from '@indbakke/shared/service';
import type { Request, Response } from 'express';
import { asIntakeProblem } from '../intake/intake-problem.js';
import type { Intake } from '../intake/receive-message.js';
import type { DeliveryMetrics } from './metrics.js';

/** Echoes Digital Post’s transaction headers, which are optional (SF1601; assumed for SF1606). */
export function echoTransaction(req: Request, res: Response): void {
  for (const name of ['x-TransaktionsId', 'x-TransaktionsTid']) {
    const value = req.get(name);
    if (value !== undefined && /^[\w:.-]{1,64}$/.test(value)) res.set(name, value);
  }
}

/** Where a delivery is counted: in the metrics of this process, and by the minute for the whole installation. */
interface Counting {
  readonly metrics: DeliveryMetrics;
  readonly tally: Tally;
  readonly endpoint: string;
  /** By the clock of `performance.now()`. */
  readonly startedAt: number;
}

function count(outcome: string, { metrics, tally, endpoint, startedAt }: Counting): void {
  metrics.intake.inc({ endpoint, outcome });
  tally.add('receipt', outcome, (performance.now() - startedAt) / 1_000);
}

/** Counts what became of a delivery, unless it is for practice. */
export function recordReceipt(
  { outcome, isTraining }: Pick<Intake, 'outcome' | 'isTraining'>,
  counting: Counting,
): void {
  if (!isTraining) count(outcome, counting);
}

/** Counts and logs why a delivery failed, and sets Retry-After when a retry may succeed. */
export function recordRefusal(error: unknown, res: Response, counting: Counting & { readonly log: Log }): Problem {
  const problem = asIntakeProblem(error);
  if (!problem.isTraining) count(problem.code, counting);
  logProblem(counting.log, problem);
  if (problem.row.again) askToRetry(res);
  return problem;
}
