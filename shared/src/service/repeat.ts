import { describeError, type Log } from '../log/index.js';
import { withLimits } from '../store/index.js';
import { withTrace } from '../tracing/index.js';

/** Periodic work: one run at a time, the next one an interval after the end of the last. */
export interface Repeating {
  readonly name: string;
  /** How many runs in a row have failed by now. */
  readonly failures: number;
  start(): void;
  /** Runs now, or once more after the run in flight; never before the start or after the stop. */
  wake(): void;
  /** Resolves when a run in flight has ended. */
  stop(): Promise<void>;
}

/**
 * A run that fails is logged under `name`; the next one follows anyway. A run that resolves with a count above 0 is logged
 * as `swept`. Each run has a correlation id of its own. The first run starts after `firstMs`.
 */
export function repeat(
  name: string,
  everyMs: number,
  log: Log,
  run: () => Promise<unknown>,
  firstMs = everyMs,
): Repeating {
  let timer: NodeJS.Timeout | undefined;
  let running: Promise<void> | undefined;
  let isWoken = false;
  let stopped = false;
  let failures = 0;

  const nextAfter = (milliseconds: number) => {
    if (!stopped) timer = setTimeout(once, milliseconds);
  };
  const once = () => {
    isWoken = false;
    // A call may have woken it.
    const begin = () => withLimits(undefined, run);
    running = withTrace(undefined, () =>
      begin()
        .then((count) => {
          failures = 0;
          if (typeof count === 'number' && count > 0) log.warn('swept', { sweep: name, count });
        })
        .catch((error: unknown) => {
          failures += 1;
          log.error('sweep-failed', { sweep: name, ...describeError(error) });
        }),
    ).finally(() => {
      running = undefined;
      nextAfter(isWoken ? 0 : everyMs);
    });
  };
  return {
    name,
    get failures() {
      return failures;
    },
    start: () => nextAfter(firstMs),
    wake() {
      isWoken = true;
      if (running || timer === undefined || stopped) return;
      clearTimeout(timer);
      once();
    },
    async stop() {
      stopped = true;
      clearTimeout(timer);
      await running;
    },
  };
}
