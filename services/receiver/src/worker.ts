import type { SuggestCaseEnqueuer } from '@indbakke/shared/queue';

/** The receiver works no queue; it only sees to it that what it enqueued is on its way before the process ends. */
export function createWork(enqueuer: SuggestCaseEnqueuer) {
  return {
    start() {},
    stop: () => enqueuer.flush(),
  };
}
