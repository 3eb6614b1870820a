import { setTimeout as delay } from 'node:timers/promises';
import { currentTime } from '@indbakke/shared/clock';
import { HOUR, SECOND } from '@indbakke/shared/config';
import { type Parts, repeat, type Work } from '@indbakke/shared/service';
import { CHANGES_CHANNEL, isStoreUnavailable } from '@indbakke/shared/store';
import type { JournalerConfig } from '../config.js';
import { Feed } from './feed.js';
import { observeFeed } from './metrics.js';
import { FEED_CHANNEL, numberChanges } from './number-changes.js';
import { sweepOldEvents } from './sweep-old-events.js';

// However many processes wake the numberer, its batches grow instead of their number.
const REST_MS = 50;

/**
 * The change feed, and the work behind it: numbering when something was committed, telling who waits, removing what is old.
 *
 * @param hear called when events have got positions, as far as that is heard
 */
export function openFeed(
  parts: Parts,
  { EVENTS_KEEP_DAYS: keepDays }: JournalerConfig,
  hear: () => void,
): { feed: Feed; sweeps: Work['sweeps'] } {
  const { store, log, metrics } = parts;
  const feed = new Feed(parts);
  const numberer = repeat(
    'number-changes',
    SECOND,
    log,
    unlessAway(async () => {
      if (await numberChanges(parts)) numberer.wake();
      else await delay(REST_MS);
    }),
  );
  const listener = store.listen([CHANGES_CHANNEL, FEED_CHANNEL], (channel, payload) => {
    if (channel !== FEED_CHANNEL) return numberer.wake();
    feed.hear(payload);
    hear();
  });
  const looks = repeat(
    'look-for-events',
    SECOND,
    log,
    unlessAway(() => feed.look(listener)),
  );
  observeFeed(metrics, store, feed, listener);
  const oldEvents = repeat('sweep-old-events', HOUR, log, () => sweepOldEvents(parts, keepDays, currentTime()));
  return { feed, sweeps: [listener, numberer, looks, oldEvents] };
}

/** Of a database that is away the log has a line already, not one every second. */
function unlessAway(run: () => Promise<void>): () => Promise<void> {
  return () =>
    run().catch((error: unknown) => {
      if (!isStoreUnavailable(error)) throw error;
    });
}
