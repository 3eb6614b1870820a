import { type Schedule, WEEKDAYS } from '@indbakke/shared/api';
import { DAY } from '@indbakke/shared/config';
import { instantOf } from '@indbakke/shared/danish-time';
import { danishDayOf, isWorkingDay } from '@indbakke/shared/working-days';

/** When a schedule is due next after a time: once on each of its days, whatever clocks do there. */
export function nextDue({ every, weekday, at }: Schedule, after: Date): Date {
  let day = danishDayOf(after);
  let due = instantOf(day, at);
  while (due <= after || !isOn(day)) {
    day = new Date(Date.parse(day) + DAY).toISOString().slice(0, 10);
    due = instantOf(day, at);
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
