import { danishDayOf, plusDays } from '@indbakke/shared/danish-time';

/** Noon (UTC) so many days after today in Denmark: so the hour at which tests run decides nothing. */
export const noonIn = (days: number): Date => new Date(`${plusDays(danishDayOf(new Date()), days)}T12:00:00Z`);
