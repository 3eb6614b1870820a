import { describe, expect, it } from 'vitest';
import { Problem } from '../../src/errors/index.js';
import { FailedSignIns } from '../../src/limits/index.js';
import { createMetrics } from '../../src/metrics/index.js';

const REFUSED = new Problem('not-signed-in', 'No.');

/** Ends the pauses that have begun. */
function pauses() {
  const ends: (() => void)[] = [];
  return {
    pause: () => new Promise<void>((resolve) => ends.push(resolve)),
    get begun() {
      return ends.length;
    },
    end: () => {
      for (const end of ends.splice(0)) end();
    },
  };
}

describe('failures over the limit of their address', () => {
  it('wait, at most a hundred of them at a time', async () => {
    const waiting = pauses();
    const limit = { SIGN_IN_FAILURES_PER_MINUTE: 1 };
    const failed = new FailedSignIns(limit, createMetrics(), { now: () => 0, pause: waiting.pause });
    const count = () => failed.count(REFUSED, '192.0.2.1').then(({ code }) => code);
    expect(await count()).toBe('not-signed-in');
    expect(waiting.begun).toBe(0);

    const slow = Array.from({ length: 100 }, count);
    expect(await count()).toBe('too-many-failed-sign-ins');
    expect(waiting.begun).toBe(100);

    waiting.end();
    expect(new Set(await Promise.all(slow))).toEqual(new Set(['too-many-failed-sign-ins']));
    const next = count();
    expect(waiting.begun).toBe(1);
    waiting.end();
    await next;
  });

  it('tell when the next one is counted as the first ones were', async () => {
    const limit = { SIGN_IN_FAILURES_PER_MINUTE: 2 };
    const clock = { ms: 0 };
    const failed = new FailedSignIns(limit, createMetrics(), { now: () => clock.ms, pause: async () => {} });
    const count = async () => (await failed.count(REFUSED, '192.0.2.1')).retryAfter;
    expect([await count(), await count(), await count()]).toEqual([undefined, undefined, 30]);
    clock.ms = 30_000;
    expect([await count(), await count()]).toEqual([undefined, 30]);
  });
});
