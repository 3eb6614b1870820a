import { describe, expect, test } from 'vitest';
import { endOfWorkingDay, isWorkingDay, publicHolidaysOf } from '../../src/working-days/index.js';

// Almanakken of the University of Copenhagen, in order; each list without the fixed days.
const MOVEABLE = {
  2000: ['04-20', '04-21', '04-23', '04-24', '05-19', '06-01', '06-11', '06-12'],
  2008: ['03-20', '03-21', '03-23', '03-24', '04-18', '05-01', '05-11', '05-12'], // the earliest Easter until 2160
  2011: ['04-21', '04-22', '04-24', '04-25', '05-20', '06-02', '06-12', '06-13'],
  2023: ['04-06', '04-07', '04-09', '04-10', '05-05', '05-18', '05-28', '05-29'], // store bededag, the last one
  2024: ['03-28', '03-29', '03-31', '04-01', '05-09', '05-19', '05-20'],
  2025: ['04-17', '04-18', '04-20', '04-21', '05-29', '06-08', '06-09'],
  2026: ['04-02', '04-03', '04-05', '04-06', '05-14', '05-24', '05-25'],
  2027: ['03-25', '03-26', '03-28', '03-29', '05-06', '05-16', '05-17'],
  2038: ['04-22', '04-23', '04-25', '04-26', '06-03', '06-13', '06-14'], // the latest Easter there is
};

describe('the public holidays', () => {
  test.each(Object.entries(MOVEABLE))('of %s are those of the almanac', (year, moveable) => {
    const days = ['01-01', ...moveable, '12-25', '12-26'];
    expect(publicHolidaysOf(Number(year))).toEqual(days.map((day) => `${year}-${day}`));
  });
});

describe('a working day', () => {
  test.each([
    ['2026-11-20', 'a Friday'],
    ['2024-04-26', 'store bededag, which is none any more'],
    ['2026-05-01', 'the first of May'],
    ['2026-06-05', 'the day of the constitution'],
    ['2026-12-24', 'Christmas Eve'],
    ['2026-12-31', 'New Year’s Eve'],
  ])('is %s, %s', (day) => {
    expect(isWorkingDay(day)).toBe(true);
  });

  test.each([
    ['2026-11-21', 'a Saturday'],
    ['2026-11-22', 'a Sunday'],
    ['2023-05-05', 'the last store bededag'],
    ['2026-05-14', 'Kristi himmelfartsdag'],
    ['2027-01-01', 'a Friday, but the first of January'],
  ])('is not %s, %s', (day) => {
    expect(isWorkingDay(day)).toBe(false);
  });
});

describe('the end of the 6th working day after', () => {
  test.each([
    ['a Monday is that of Tuesday a week later', '2026-11-02T08:12:00Z', '2026-11-10T23:00:00.000Z'],
    ['a Friday evening is that of Monday', '2026-11-06T22:30:00Z', '2026-11-16T23:00:00.000Z'],
    ['a Saturday is the same', '2026-11-07T10:00:00Z', '2026-11-16T23:00:00.000Z'],
    // 23:30 UTC of Thursday is Friday in Denmark.
    ['Friday just after midnight counts from Friday', '2026-11-05T23:30:00Z', '2026-11-16T23:00:00.000Z'],
    ['the Tuesday before Easter leaves its days out', '2026-03-31T09:00:00Z', '2026-04-13T22:00:00.000Z'],
    ['a Friday in winter is in summer time', '2026-03-27T09:00:00Z', '2026-04-09T22:00:00.000Z'],
    ['a Friday in summer time is in winter', '2026-10-23T09:00:00Z', '2026-11-02T23:00:00.000Z'],
    ['23 December counts 24 and 31 December', '2026-12-23T12:00:00Z', '2027-01-04T23:00:00.000Z'],
    ['24 April 2024 counts store bededag, no more a holiday', '2024-04-24T12:00:00Z', '2024-05-02T22:00:00.000Z'],
    ['3 May 2023 leaves the last store bededag out', '2023-05-03T12:00:00Z', '2023-05-12T22:00:00.000Z'],
  ])('%s', (_what, at, end) => {
    expect(endOfWorkingDay(new Date(at), 6).toISOString()).toBe(end);
  });
});
