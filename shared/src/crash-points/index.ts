import { channel } from 'node:diagnostics_channel';

/**
 * The steps that a failure could fall between, in the order in which they happen. Each is announced the moment it is
 * done. A test harness listens and kills the process there; the services know nothing of it.
 */
export const CRASH_POINTS = {
  'content-written': 'Every byte of a container has been handed to the file system; none is known to be on disk.',
  'content-synced': 'The bytes of the container are on disk, under the name of an unfinished blob.',
  'content-renamed': 'The container has its final name, which may not be on disk.',
  'folder-synced': 'The final name is on disk: the container survives a power cut.',
  'message-committed': 'All rows of a message are durable; its receipt is not given yet.',
  'suggestion-committed': 'A message was looked at, and what was found is durable.',
  'deletion-committed': 'A message is deleted and its key destroyed; its content is not removed yet.',
  'content-removed': 'A container was removed; a power cut could still bring it back.',
  'removal-synced': 'The removal is on disk.',
} as const;

export type Step = keyof typeof CRASH_POINTS;

/** What is published on {@link CRASH_POINT_CHANNEL}. Never anything personal, so no ids and no names either. */
export interface CrashPointMessage {
  readonly step: Step;
}

/** Name of the node:diagnostics_channel that carries a {@link CrashPointMessage} per step. */
export const CRASH_POINT_CHANNEL = 'indbakke:crash-point';

const steps = channel(CRASH_POINT_CHANNEL);

/** Publishes that `step` has just been done. Listeners run before this returns; without one it costs nothing. */
export function announce(step: Step): void {
  if (steps.hasSubscribers) steps.publish({ step } satisfies CrashPointMessage);
}
