import type { Story } from './story.js';

// Ctrl-C under npm comes twice: from the terminal, and passed on by npm.
const ONE_CTRL_C_MS = 1_000;
const INTERRUPTED = 130; // 128 + SIGINT, as shells have it

/**
 * Runs the day to its end and gives the exit status. Ctrl-C aborts the signal, so that the day ends early and still cleans
 * up; pressed again, it ends the process at once.
 *
 * @param day gives what the last line says when all went well
 */
export async function runDay(story: Story, day: (signal: AbortSignal) => Promise<readonly string[]>): Promise<number> {
  const signal = abortedByCtrlC();
  try {
    return story.end(await day(signal));
  } catch (error) {
    if (!signal.aborted) return story.breakOff(error as Error);
    process.stdout.write('\ndemo: interrupted; what it made is removed\n');
    return INTERRUPTED;
  }
}

function abortedByCtrlC(): AbortSignal {
  const controller = new AbortController();
  let first: number | undefined;
  const onSignal = () => {
    first ??= Date.now();
    if (Date.now() - first > ONE_CTRL_C_MS) process.exit(INTERRUPTED);
    controller.abort();
  };
  for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(name, onSignal);
  process.stdout.on('error', () => controller.abort()); // nobody reads on, as with `| head`
  return controller.signal;
}
