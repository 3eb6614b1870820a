/** The clock that people in a municipality read: of Europe/Copenhagen, summer time included. */

const ZONE = 'Europe/Copenhagen';
// Swedish writes ISO 8601 but for the T.
const wallClock = new Intl.DateTimeFormat('sv-SE', { dateStyle: 'short', timeStyle: 'medium', timeZone: ZONE });

/** `2026-11-02 09:12:00`, in Danish time. */
export function danishTime(at: Date): string {
  return wallClock.format(at);
}

/** `2026-11-02`, the Danish day of a time. */
export function danishDay(at: Date): string {
  return danishTime(at).slice(0, 'yyyy-mm-dd'.length);
}
