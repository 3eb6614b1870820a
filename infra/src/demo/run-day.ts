import { INTERRUPTED } from '@indbakke/shared/service';
import { abortedByCtrlC } from '../local/ctrl-c.js';
import type { Story } from './story.js';

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
