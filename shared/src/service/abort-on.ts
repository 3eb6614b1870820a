/** Exit status of an interrupted process: 128 + SIGINT, as in shells. */
export const INTERRUPTED = 130;

// Under npm one Ctrl-C arrives twice: from the terminal and from npm.
const ONE_CTRL_C_MS = 1_000;

/** Aborts at the first of these signals. Another one, over a second later, ends the process at once. */
export function abortOn(signals: readonly NodeJS.Signals[]): AbortController {
  const controller = new AbortController();
  let first: number | undefined;
  const onSignal = () => {
    first ??= Date.now();
    if (Date.now() - first > ONE_CTRL_C_MS) process.exit(INTERRUPTED);
    controller.abort(new Error('interrupted'));
  };
  for (const name of signals) process.on(name, onSignal);
  return controller;
}
