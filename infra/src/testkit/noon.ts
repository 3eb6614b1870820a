import { setTimeout as sleep } from 'node:timers/promises';
import { atDanishTime, danishDayOf, plusDays } from '@indbakke/shared/danish-time';

/** Noon (UTC) so many days after today in Denmark: so the hour at which tests run decides nothing. */
export const noonIn = (days: number): Date => new Date(`${plusDays(danishDayOf(new Date()), days)}T12:00:00Z`);

/** Today in Denmark, for tests that take less than `minutes` and count what comes in a day: where it would end before, tomorrow, after a wait. */
export async function wholeDay(minutes: number): Promise<string> {
  const today = danishDayOf(new Date());
  const left = atDanishTime(plusDays(today, 1), '00:00:00').getTime() - Date.now();
  if (left > minutes * 60_000) return today;
  await sleep(left);
  return danishDayOf(new Date());
}
