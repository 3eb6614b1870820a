import type { Principal } from '../access/index.js';
import type { CommonConfig } from '../config/index.js';
import { Problem } from '../errors/index.js';
import type { Metrics } from '../metrics/index.js';
import { Buckets } from './buckets.js';

type Settings = Pick<CommonConfig, 'REQUESTS_PER_MINUTE' | 'SYSTEM_REQUESTS_PER_MINUTE'>;

/**
 * How often each caller may call this process. Whoever a system acts for is a caller too, so that its calls for one of them do not take
 * those of the others.
 */
export class RequestLimits {
  readonly #settings: Settings;
  readonly #buckets: Readonly<Record<Principal['actor']['kind'], Buckets>>;
  readonly #metrics: Metrics;

  constructor(settings: Settings, metrics: Metrics, now?: () => number) {
    this.#settings = settings;
    this.#buckets = {
      user: new Buckets(settings.REQUESTS_PER_MINUTE, now),
      system: new Buckets(settings.SYSTEM_REQUESTS_PER_MINUTE, now),
    };
    this.#metrics = metrics;
  }

  /** @throws Problem too-many-requests */
  count({ municipality, actor: { kind, id, onBehalfOf } }: Principal): void {
    const seconds = this.#buckets[kind].take(JSON.stringify([municipality, id, onBehalfOf]));
    if (seconds === 0) return;
    this.#metrics.tooManyRequests.inc({ kind });
    const { REQUESTS_PER_MINUTE: ofUser, SYSTEM_REQUESTS_PER_MINUTE: ofSystem } = this.#settings;
    const detail = `The caller may make ${kind === 'user' ? ofUser : ofSystem} requests in a minute. Go on as Retry-After says.`;
    throw new Problem('too-many-requests', detail, { retryAfter: seconds });
  }
}
