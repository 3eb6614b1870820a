import { atDanishTime } from '@indbakke/shared/danish-time';
import { instantOf } from '@indbakke/shared/memo';

// XML Schema, xs:date and xs:dateTime; a time zone need not be there, and is then taken for that of Denmark.
const DATE = /^(\d{4}-\d{2}-\d{2})(?:Z|[+-]\d{2}:\d{2})?$/;
const LOCAL_TIME = /^(\d{4}-\d{2}-\d{2})T(\d{2}:\d{2}:\d{2})(?:\.\d+)?$/;

/** When the day begins; undefined for what is no date. */
export function beginOf(date: string | undefined): Date | undefined {
  const day = dayOf(date);
  return day === undefined ? undefined : atDanishTime(day, '00:00:00');
}

/** The last second of the day. */
export function endOf(date: string | undefined): Date | undefined {
  const day = dayOf(date);
  return day === undefined ? undefined : atDanishTime(day, '23:59:59');
}

/** The instant of a date and time. */
export function instantIn(text: string | undefined): Date | undefined {
  const [, day = '', time = ''] = LOCAL_TIME.exec(text ?? '') ?? [];
  return dayOf(day) === undefined ? instantOf(text ?? '') : atDanishTime(day, time);
}

function dayOf(text: string | undefined): string | undefined {
  const day = DATE.exec(text ?? '')?.[1] ?? '';
  return instantOf(`${day}T00:00:00Z`) && day;
}
