import { HOUR } from '../config/index.js';

/** The clock that people in a municipality read: of Europe/Copenhagen, summer time included. */

// Swedish writes ISO 8601 but for the T.
const wallClock = new Intl.DateTimeFormat('sv-SE', {
  dateStyle: 'short',
  timeStyle: 'medium',
  timeZone: 'Europe/Copenhagen',
});

/** `2026-11-02 09:12:00`, in Danish time. */
export function danishTime(at: Date): string {
  return wallClock.format(at);
}

/**
 * When Danish clocks show a time of a day (`2026-11-02`, `09:12`). Of two such times, at the end of summer time, the first; when
 * clocks skip it, as much later as they do.
 */
export function instantOf(day: string, time: string): Date {
  const inZone = (offset: number) => new Date(Date.parse(`${day}T${time}Z`) - offset);
  const inSummer = inZone(2 * HOUR);
  return danishTime(inSummer).startsWith(`${day} ${time}`) ? inSummer : inZone(HOUR);
}
