import { setTimeout as pauseFor } from 'node:timers/promises';
import { errors } from 'jose';
import { type CommonConfig, SECOND } from '../config/index.js';
import { Problem } from '../errors/index.js';
import type { Metrics } from '../metrics/index.js';
import { Buckets } from './buckets.js';
import { sourceOf } from './source.js';

/** What was wrong: nothing was sent, a token of the issuer has expired, or anything else was sent. */
export type SignInFault = 'missing' | 'expired' | 'refused';

interface Options {
  readonly now?: () => number;
  readonly pause?: (ms: number) => Promise<unknown>;
}

const PAUSE_MS = SECOND;
// An answer that waits keeps a connection; those of one who tries are not to keep all.
const MAX_PAUSED = 100;

/**
 * Who fails to sign in, and how often from one address. Failures over SIGN_IN_FAILURES_PER_MINUTE are slowed; who signs in is not, from
 * whatever address: thousands may share one (decision 44).
 */
export class FailedSignIns {
  readonly #perSource: Buckets;
  readonly #metrics: Metrics;
  readonly #pause: (ms: number) => Promise<unknown>;
  #paused = 0;

  constructor(
    { SIGN_IN_FAILURES_PER_MINUTE }: Pick<CommonConfig, 'SIGN_IN_FAILURES_PER_MINUTE'>,
    metrics: Metrics,
    { now, pause = pauseFor }: Options = {},
  ) {
    this.#perSource = new Buckets(SIGN_IN_FAILURES_PER_MINUTE, now);
    this.#metrics = metrics;
    this.#pause = pause;
  }

  /**
   * Counts a failure, and waits when there were too many.
   *
   * @param address that it came from
   * @param isSent whether the caller sent anything to sign in with
   * @returns what to answer
   */
  async count(failure: Problem, address: string | undefined, isSent = true): Promise<Problem> {
    const fault = !isSent ? 'missing' : failure.cause instanceof errors.JWTExpired ? 'expired' : 'refused';
    this.#metrics.notSignedIn.inc({ fault });
    const seconds = this.#perSource.take(sourceOf(address ?? ''));
    if (seconds === 0) return failure;
    this.#metrics.slowedSignIns.inc();
    await this.#slow();
    // 401 makes clients sign in again, which is what mends the other two.
    if (fault !== 'refused') return failure;
    const detail = `${failure.detail} This address has failed too often; a valid token is still taken from it.`;
    return new Problem('too-many-failed-sign-ins', detail, { cause: failure, retryAfter: seconds });
  }

  async #slow(): Promise<void> {
    if (this.#paused >= MAX_PAUSED) return;
    this.#paused += 1;
    await this.#pause(PAUSE_MS);
    this.#paused -= 1;
  }
}
