import { INTERRUPTED } from '@indbakke/shared/service';
import { abortedByCtrlC } from '../local/ctrl-c.js';
import type { Story } from './story.js';

/**
 * Runs the day. Ctrl-C aborts the signal, so that it ends early and still cleans up.
 *
 * @param day returns the facts of the last line
 * @returns the exit status
 */
export async function runDay(story: Story, day: (signal: AbortSignal) => Promise<readonly string[]>): Promise<number> {
  const signal = abortedByCtrlC();
  try {
    return story.end(await day(signal));
  } catch (error) {
    if (!signal.aborted) return story.abort(error as Error);
    process.stdout.write('\ndemo: interrupted; everything it created is removed\n');
    return INTERRUPTED;
  }
}
