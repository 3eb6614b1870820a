import { abortOn } from '@indbakke/shared/service';

/** Aborted by Ctrl-C, so that a command ends early and still cleans up. A second Ctrl-C kills the process. */
export function abortedByCtrlC(): AbortSignal {
  const controller = abortOn(['SIGINT', 'SIGTERM', 'SIGHUP']);
  process.stdout.on('error', () => controller.abort(new Error('output closed'))); // as with `| head`
  return controller.signal;
}
