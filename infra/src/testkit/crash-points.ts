import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { CRASH_POINT_CHANNEL, type CrashPoint, type CrashPointMessage } from '@indbakke/shared/crash-points';

/** Resolves when the crash point has been passed `times` times from now on. Call it before the work. */
export function crashPointPassed(point: CrashPoint, times = 1): Promise<void> {
  return new Promise((resolve) => {
    let count = 0;
    const listen = (message: unknown) => {
      if ((message as CrashPointMessage).point !== point || ++count < times) return;
      unsubscribe(CRASH_POINT_CHANNEL, listen);
      resolve();
    };
    subscribe(CRASH_POINT_CHANNEL, listen);
  });
}
