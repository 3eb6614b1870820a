import { describeError, type Log } from '../log/index.js';

/** Work that comes round: one run at a time, the next one a while after the end of the last. */
export interface Repeating {
  start(): void;
  /** Resolves when a run that is under way has ended. */
  stop(): Promise<void>;
}

/** A run that fails is logged under `name` and comes round again. The first comes after `firstMs`. */
export function repeat(
  name: string,
  everyMs: number,
  log: Log,
  run: () => Promise<void>,
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
