import { abortOn } from '@indbakke/shared/service';

/** Aborted by Ctrl-C, so that a command ends early and still cleans up. Pressed again, it ends the process at once. */
export function abortedByCtrlC(): AbortSignal {
  const controller = abortOn(['SIGINT', 'SIGTERM', 'SIGHUP']);
  process.stdout.on('error', () => controller.abort(new Error('nobody reads on'))); // as with `| head`
  return controller.signal;
}
