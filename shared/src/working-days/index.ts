import { atDanishTime, danishDayOf, plusDays } from '../danish-time/index.js';

// Written here: libraries of holidays carry those of all countries, and the Danish ones are Easter and three fixed days.

/** When the n-th working day after the Danish day of an instant is over: the midnight that follows it. */
export function endOfWorkingDay(at: Date, n: number): Date {
  let day = danishDayOf(at);
  for (let left = n; left > 0; ) {
    day = plusDays(day, 1);
    if (isWorkingDay(day)) left -= 1;
  }
  return atDanishTime(plusDays(day, 1), '00:00');
}

/** Monday to Friday without public holidays. 1 May, 5 June, 24 and 31 December are none: agreements, not law. */
export function isWorkingDay(day: string): boolean {
  const weekday = new Date(day).getUTCDay();
  return weekday !== 0 && weekday !== 6 && !publicHolidaysOf(Number(day.slice(0, 4))).includes(day);
}

/** Days after Easter: skærtorsdag, langfredag, påskedag, 2. påskedag, Kristi himmelfartsdag, pinsedag, 2. pinsedag. */
const MOVEABLE = [-3, -2, 0, 1, 39, 49, 50];
/** Nytårsdag, juledag, 2. juledag. */
const FIXED = ['01-01', '12-25', '12-26'];
/** A public holiday for the last time in 2023 (lov nr. 214 af 6. marts 2023). */
const STORE_BEDEDAG = { daysAfterEaster: 26, last: 2023 };

/** The public holidays of a year. */
export function publicHolidaysOf(year: number): string[] {
  const easter = easterOf(year);
  const moveable = year <= STORE_BEDEDAG.last ? [...MOVEABLE, STORE_BEDEDAG.daysAfterEaster] : MOVEABLE;
  return [...FIXED.map((day) => `${year}-${day}`), ...moveable.map((days) => plusDays(easter, days))].sort();
}

/** Easter Sunday by the anonymous Gregorian computus, as Meeus gives it (Astronomical Algorithms, chapter 8). */
function easterOf(year: number): string {
  const century = Math.floor(year / 100);
  const yearOfCentury = year % 100;
  const golden = year % 19;
  const leapCenturies = Math.floor(century / 4);
  const correction = Math.floor((century - Math.floor((century + 8) / 25) + 1) / 3);
  const epact = (19 * golden + century - leapCenturies - correction + 15) % 30;
  const leapYears = Math.floor(yearOfCentury / 4);
  const weekday = (32 + 2 * (century % 4) + 2 * leapYears - epact - (yearOfCentury % 4)) % 7;
  const late = Math.floor((golden + 11 * epact + 22 * weekday) / 451);
  const sum = epact + weekday - 7 * late + 114;
  return new Date(Date.UTC(year, Math.floor(sum / 31) - 1, (sum % 31) + 1)).toISOString().slice(0, 10);
}
