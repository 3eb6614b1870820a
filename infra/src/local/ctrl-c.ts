/** Exit status of a command that was interrupted: 128 + SIGINT, as shells have it. */
export const INTERRUPTED = 130;

// Under npm one Ctrl-C comes twice: from the terminal, and passed on.
const ONE_CTRL_C_MS = 1_000;

/** Aborted by Ctrl-C, so that a command ends early and still cleans up. Pressed again, it ends the process at once. */
export function abortedByCtrlC(): AbortSignal {
  const controller = new AbortController();
  let first: number | undefined;
  const onSignal = () => {
    first ??= Date.now();
    if (Date.now() - first > ONE_CTRL_C_MS) process.exit(INTERRUPTED);
    controller.abort(new Error('interrupted'));
  };
  for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(name, onSignal);
  process.stdout.on('error', () => controller.abort(new Error('nobody reads on'))); // as with `| head`
  return controller.signal;
}
