import { danishTime } from '@indbakke/shared/danish-time';
import { z } from 'zod';

const TIME = '([01]\\d|2[0-3]):[0-5]\\d';
const WINDOW = new RegExp(`^(${TIME}-${TIME}|off)$`);

export const ScrubWindow = z.string().regex(WINDOW, 'must be two times such as 01:00-05:00, or off');

/** Whether Danish clocks show a time of the window, which may go over midnight. */
export function isWithin(window: string, at: Date): boolean {
  if (window === 'off') return false;
  const [from = '', until = ''] = window.split('-');
  const now = danishTime(at).slice(11, 16);
  return from <= until ? from <= now && now < until : from <= now || now < until;
}
