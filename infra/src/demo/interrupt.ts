// Ctrl-C under npm comes twice: from the terminal, and passed on by npm.
const ONE_CTRL_C_MS = 1_000;
const FAILED = 1;
const INTERRUPTED = 130; // 128 + SIGINT, as shells have it

/**
 * Runs `work` to its end and gives its exit status. Ctrl-C aborts the signal, so that it ends early and still cleans up;
 * pressed again, it ends the process at once. An error is told in a last line.
 */
export async function runUntilCtrlC(work: (signal: AbortSignal) => Promise<number>): Promise<number> {
  const controller = new AbortController();
  let first: number | undefined;
  const onSignal = () => {
    first ??= Date.now();
    if (Date.now() - first > ONE_CTRL_C_MS) process.exit(INTERRUPTED);
    controller.abort();
  };
  for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(name, onSignal);
  process.stdout.on('error', () => controller.abort()); // nobody reads on, as with `| head`
  try {
    return await work(controller.signal);
  } catch (error) {
    if (controller.signal.aborted) {
      process.stdout.write('\ndemo: interrupted; what it made is removed\n');
      return INTERRUPTED;
    }
    process.stdout.write(`\n${(error as Error).stack}\n\ndemo: broke off: ${(error as Error).message}\n`);
    return FAILED;
  }
}
