import { z } from 'zod';
import { DAY, HOUR } from '../config/index.js';

// The clock and calendar of people in a municipality: Europe/Copenhagen, summer time included. A day is text, YYYY-MM-DD.

const CLOCK = new Intl.DateTimeFormat('en', {
  timeZone: 'Europe/Copenhagen',
  hourCycle: 'h23',
  year: 'numeric',
  month: '2-digit',
  day: '2-digit',
  hour: '2-digit',
  minute: '2-digit',
  second: '2-digit',
});

/** `2026-11-02 09:12:00`, in Danish time. */
export function danishTime(at: Date): string {
  // By its parts: the order of a locale changes between versions of ICU.
  const parts = Object.fromEntries(CLOCK.formatToParts(at).map(({ type, value }) => [type, value]));
  return `${parts.year}-${parts.month}-${parts.day} ${parts.hour}:${parts.minute}:${parts.second}`;
}

/** The day in Denmark at an instant. */
export function danishDayOf(at: Date): string {
  return danishTime(at).slice(0, 10);
}

/**
 * When Danish clocks show a time (`09:12`) of a day. Of two such instants, at the end of summer time, the first; for a time that
 * clocks skip, the instant as much later as they skip.
 */
export function atDanishTime(day: string, time: string): Date {
  const inZone = (offset: number) => new Date(Date.parse(`${day}T${time}Z`) - offset);
  const inSummer = inZone(2 * HOUR);
  return danishTime(inSummer).startsWith(`${day} ${time}`) ? inSummer : inZone(HOUR);
}

/** The day so many days later, or earlier when negative. */
export function plusDays(day: string, days: number): string {
  return new Date(Date.parse(day) + days * DAY).toISOString().slice(0, 10);
}

const TIME = '([01]\\d|2[0-3]):[0-5]\\d';
const WINDOW = new RegExp(`^(${TIME}-${TIME}|off)$`);

/** A setting: two times by Danish clocks, between which something is done each night. */
export const NightlyWindow = z.string().regex(WINDOW, 'must be two times such as 01:00-05:00, or off');

/** Whether Danish clocks show a time of the window, which may go over midnight. */
export function isWithin(window: string, at: Date): boolean {
  if (window === 'off') return false;
  const [from = '', until = ''] = window.split('-');
  const now = danishTime(at).slice(11, 16);
  return from <= until ? from <= now && now < until : from <= now || now < until;
}
