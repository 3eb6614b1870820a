import type { EventList } from '@indbakke/shared/api';
import { useEffect, useRef } from 'preact/hooks';
import { ApiError, call } from '../api.js';
import { hasRole } from '../session.js';

/** Less than what proxies usually allow. */
const WAIT_SECONDS = 25;
/** However fast letters come, the list is read so often only. */
const REST_MS = 1_000;
const AFTER_FAILURE_MS = 10_000;

/** Where this page is in the feed; undefined: not known. */
let position: number | undefined;

const isOpenToMe = hasRole('IndkomneDokumenter.Læs');

/** The newest position: what is read after it is known is whole, with the changes that follow. */
async function newest(): Promise<number> {
  return (await call<EventList>('GET', '/events?after=latest')).head;
}

/** Resolves when changes from now on will be told; the list is read after that. */
export async function beginToFollow(): Promise<void> {
  if (!isOpenToMe || position !== undefined) return;
  // Without it, the page works all the same, but not by itself.
  position = await newest().catch(() => undefined);
}

/**
 * Tells of changes, also of those that one may not see (then without events), while the page is looked at.
 *
 * @param onChange reads again; the next change is told when that is done
 */
export function useChanges(onChange: (events: EventList['events']) => Promise<void>): void {
  const latest = useRef(onChange);
  latest.current = onChange;
  useEffect(() => {
    if (!isOpenToMe) return;
    let following: AbortController | undefined;
    const followWhileSeen = () => {
      following?.abort();
      following = undefined;
      if (document.hidden) return;
      following = new AbortController();
      void follow(following.signal, (events) => latest.current(events));
    };
    followWhileSeen();
    document.addEventListener('visibilitychange', followWhileSeen);
    return () => {
      document.removeEventListener('visibilitychange', followWhileSeen);
      following?.abort();
    };
  }, []);
}

async function follow(signal: AbortSignal, onChange: (events: EventList['events']) => Promise<void>): Promise<void> {
  await beginToFollow();
  let isBehind = false;
  while (!signal.aborted) {
    try {
      if (position === undefined) {
        position = await newest();
        await onChange([]);
      }
      const path = `/events?after=${position}&wait=${isBehind ? 0 : WAIT_SECONDS}&limit=1000`;
      const { events, next }: EventList = await call('GET', path, { signal });
      if (signal.aborted) return;
      const hasChanged = next !== position || isBehind;
      isBehind = false;
      position = next;
      if (hasChanged) {
        await onChange(events);
        await pause(REST_MS, signal);
      }
    } catch (error) {
      if (signal.aborted) return;
      isBehind = true; // the list, too, may not have been read
      if (error instanceof ApiError && error.code === 'position-gone') position = undefined;
      else await pause(AFTER_FAILURE_MS, signal);
    }
  }
}

function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, ms);
    signal.addEventListener('abort', () => {
      clearTimeout(timer);
      resolve();
    });
  });
}
