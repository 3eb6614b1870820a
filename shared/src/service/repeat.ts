import { describeError, type Log } from '../log/index.js';

/** Work that comes round: one run at a time, the next one a while after the end of the last. */
export interface Repeating {
  start(): void;
  /** Resolves when a run that is under way has ended. */
  stop(): Promise<void>;
}

/** A run that fails is logged under `name` and comes round again. */
export function repeat(name: string, everyMs: number, log: Log, run: () => Promise<void>): Repeating {
  let timer: NodeJS.Timeout | undefined;
  let running: Promise<void> = Promise.resolve();
  let stopped = false;

  const next = () => {
    if (!stopped) timer = setTimeout(once, everyMs);
  };
  const once = () => {
    running = run()
      .catch((error: unknown) => log.error('sweep-failed', { sweep: name, ...describeError(error) }))
      .finally(next);
  };
  return {
    start: next,
    async stop() {
      stopped = true;
      clearTimeout(timer);
      await running;
    },
  };
}
