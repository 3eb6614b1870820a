/**
 * The clock of the installation: that of its database, which all copies share, as this process last heard it. What goes into rows
 * or is compared with them has its time from here, or from now() in SQL; so a copy whose own clock is wrong is early or late for nothing
 * (docs/decisions/0054). Readable without a database, when it is the clock of the process.
 */

let aheadMs = 0;

/** What time it is for the installation. */
export const currentTime = (): Date => new Date(Date.now() + aheadMs);

/** How far that is ahead of the clock of this process, in milliseconds; negative when it is behind. */
export const clockAheadMs = (): number => aheadMs;

/** What the database said its clock is, in milliseconds, and when it was asked and had answered by the clock of this process. */
export interface HeardClock {
  readonly clock: number;
  readonly asked: number;
  readonly answered: number;
}

/**
 * Goes by this from now on. Somewhere between question and answer the clock was read: of two clocks that may be the same nothing is
 * corrected, and else only what is sure, so that times do not jump with the time that an answer takes.
 */
export function hearClock({ clock, asked, answered }: HeardClock): void {
  const [least, most] = [clock - answered, clock - asked];
  aheadMs = Math.max(least, Math.min(most, 0));
}

/** Asks for the database’s clock, in milliseconds. */
export const CLOCK = '(extract(epoch FROM clock_timestamp()) * 1000)::float8';
