import { describeError, type Log } from '../log/index.js';

/** Periodic work: one run at a time, the next one an interval after the end of the last. */
export interface Repeating {
  start(): void;
  /** Resolves when a run in flight has ended. */
  stop(): Promise<void>;
}

/**
 * A run that fails is logged under `name`; the next one follows anyway. A run that resolves with a count above 0 is logged
 * as `swept`. The first run starts after `firstMs`.
 */
export function repeat(
  name: string,
  everyMs: number,
  log: Log,
  run: () => Promise<unknown>,
  firstMs = everyMs,
): Repeating {
  let timer: NodeJS.Timeout | undefined;
  let running: Promise<void> = Promise.resolve();
  let stopped = false;

  const nextAfter = (milliseconds: number) => {
    if (!stopped) timer = setTimeout(once, milliseconds);
  };
  const once = () => {
    running = run()
      .then((count) => {
        if (typeof count === 'number' && count > 0) log.warn('swept', { sweep: name, count });
      })
      .catch((error: unknown) => log.error('sweep-failed', { sweep: name, ...describeError(error) }))
      .finally(() => nextAfter(everyMs));
  };
  return {
    start: () => nextAfter(firstMs),
    async stop() {
      stopped = true;
      clearTimeout(timer);
      await running;
    },
  };
}
