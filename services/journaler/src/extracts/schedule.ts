import { type Schedule, WEEKDAYS } from '@indbakke/shared/api';
import { atDanishTime, danishDayOf, plusDays } from '@indbakke/shared/danish-time';
import { isWorkingDay } from '@indbakke/shared/working-days';

/** When a schedule is due next after a time: once on each of its days, whatever clocks do there. */
export function nextDue({ every, weekday, at }: Schedule, after: Date): Date {
  let day = danishDayOf(after);
  let due = atDanishTime(day, at);
  while (due <= after || !isOn(day)) {
    day = plusDays(day, 1);
    due = atDanishTime(day, at);
  }
  return due;

  function isOn(candidate: string): boolean {
    if (every === 'day') return true;
    return every === 'working-day' ? isWorkingDay(candidate) : weekdayOf(candidate) === weekday;
  }
}

function weekdayOf(day: string) {
  return WEEKDAYS[(new Date(day).getUTCDay() + 6) % 7];
}
