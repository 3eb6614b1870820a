import type { ErrorRequestHandler, Response } from 'express';
import type { z } from 'zod';
import type { ProblemAnswer } from '../api/index.js';
import { Problem } from '../errors/index.js';
import { currentCorrelationId, describeError, type Log } from '../log/index.js';
import { CommitInDoubt, isStoreUnavailable } from '../store/index.js';
import { noteInSpan } from '../tracing/index.js';

/** Turns every error into an answer of the inbox API: RFC 9457 problem+json. */
export function problemHandler(log: Log): ErrorRequestHandler {
  return (error: unknown, req, res, next) => {
    const problem = toProblem(error);
    logProblem(log, problem);
    // Part of a stream is sent already: only cutting the connection shows the client that it is incomplete.
    if (res.headersSent) return void res.destroy();
    if (problem.row.http === 401 && !res.hasHeader('WWW-Authenticate')) res.set('WWW-Authenticate', 'Bearer');
    sayWhenToRetry(res, problem);
    sendProblem(res, problem);
    void [req, next];
  };
}

/** Asks for a retry where one is right. */
export function sayWhenToRetry(res: Response, { row, retryAfter }: Problem): void {
  if (retryAfter !== undefined || (row.http === 503 && row.again === true)) askToRetry(res, retryAfter);
}

/** Asks the caller to retry, and says when. */
export function askToRetry(res: Response, seconds = 30): void {
  res.set('Retry-After', String(seconds));
}

function sendProblem(res: Response, problem: Problem): void {
  sendJson(res.status(problem.row.http).type('application/problem+json'), describeProblem(problem));
}

/** A problem as callers see it: RFC 9457. */
export function describeProblem(problem: Problem): z.infer<typeof ProblemAnswer> {
  return {
    type: `urn:indbakke:error:${problem.code}`,
    title: problem.row.meaning,
    status: problem.row.http,
    detail: problem.detail,
    code: problem.code,
    ...(problem.path !== undefined && { path: problem.path }),
    ...(problem.oldest !== undefined && { oldest: problem.oldest }),
    ...(problem.choices && { choices: [...problem.choices] }),
    correlationId: currentCorrelationId() as string, // every request has one
  };
}

/**
 * Not res.json(), which adds an ETag and answers 304 to If-None-Match: the version of a message is for If-Match only, since
 * the suggested case in the answer changes without it. HEAD gets the Content-Length too.
 */
export function sendJson(res: Response, value: object): void {
  const json = JSON.stringify(value);
  res.set('Content-Length', String(Buffer.byteLength(json))).end(json);
}

/** The peer’s faults are logged at info, ours at error; the span of the request has the code. */
export function logProblem(log: Log, problem: Problem): void {
  noteInSpan({ code: problem.code });
  if (problem.row.fault === 'peer') log.info('refused', describeError(problem));
  else log.error('failed', describeError(problem));
}

/** What an error means to the caller. An unexpected one is `internal` and reveals nothing. */
export function toProblem(error: unknown): Problem {
  if (error instanceof Problem) return error;
  if (error instanceof URIError) return new Problem('bad-request', 'The URL is not percent-encoded UTF-8.');
  if (error instanceof CommitInDoubt) {
    const detail = 'The database did not answer whether it made the change. Read the message again before you retry.';
    return new Problem('unknown-outcome', detail, { cause: error });
  }
  if (isStoreUnavailable(error)) return unavailable(error);
  return new Problem('internal', 'Something failed here. Quote the correlation id when you report it.', {
    cause: error,
  });
}

/** The database is away, and nothing was changed. */
export function unavailable(cause: unknown): Problem {
  return new Problem('unavailable', 'The database does not answer. Try again later.', { cause });
}
