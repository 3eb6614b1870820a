import { setTimeout as sleep } from 'node:timers/promises';
import { atDanishTime, danishDayOf, plusDays } from '@indbakke/shared/danish-time';

/** Noon (UTC) so many days after today in Denmark: so the hour at which tests run decides nothing. */
export const noonIn = (days: number): Date => new Date(`${plusDays(danishDayOf(new Date()), days)}T12:00:00Z`);

/** Today in Denmark, for tests that count what comes in one day: waits for midnight if that is less than so many minutes away. */
export async function wholeDay(minutes: number): Promise<string> {
  const today = danishDayOf(new Date());
  const left = atDanishTime(plusDays(today, 1), '00:00:00').getTime() - Date.now();
  if (left > minutes * 60_000) return today;
  await sleep(left + 1_000); // a timer may fire a little early
  return danishDayOf(new Date());
}
