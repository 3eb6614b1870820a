import fc from 'fast-check';
import { expect, it } from 'vitest';
import { type Schedule, WEEKDAYS } from '../../../shared/src/api/index.js';
import { danishTime } from '../../../shared/src/danish-time/index.js';
import { nextDue } from '../src/extracts/schedule.js';

const DAY = 86_400_000;

/** The next due times, as Danish clocks show them. */
function dueAfter(schedule: Schedule, after: string, count: number): string[] {
  const due: Date[] = [];
  while (due.length < count) due.push(nextDue(schedule, due.at(-1) ?? new Date(after)));
  return due.map((at) => danishTime(at).slice(0, 16));
}

it('every day is due once a day, also when clocks skip the time or show it twice', () => {
  expect(dueAfter({ every: 'day', at: '02:30' }, '2026-03-28T12:00:00Z', 3)).toEqual([
    '2026-03-29 03:30',
    '2026-03-30 02:30',
    '2026-03-31 02:30',
  ]);
  expect(dueAfter({ every: 'day', at: '02:30' }, '2026-10-24T12:00:00Z', 2)).toEqual([
    '2026-10-25 02:30',
    '2026-10-26 02:30',
  ]);
});

it('keeps its Danish time of day when summer time begins or ends', () => {
  const at = (after: string) => nextDue({ every: 'day', at: '07:30' }, new Date(after)).toISOString();
  expect(at('2026-03-28T12:00:00Z')).toBe('2026-03-29T05:30:00.000Z');
  expect(at('2026-03-27T12:00:00Z')).toBe('2026-03-28T06:30:00.000Z');
  expect(at('2026-10-24T12:00:00Z')).toBe('2026-10-25T06:30:00.000Z');
});

it('is due later the same day, and not again at the very time', () => {
  const at = (after: string) => nextDue({ every: 'day', at: '07:30' }, new Date(after)).toISOString();
  expect(at('2026-11-02T06:29:59.999Z')).toBe('2026-11-02T06:30:00.000Z');
  expect(at('2026-11-02T06:30:00Z')).toBe('2026-11-03T06:30:00.000Z');
});

it('every working day leaves out weekends and public holidays', () => {
  // Maundy Thursday is 2 April 2026, Easter Monday 6 April.
  expect(dueAfter({ every: 'working-day', at: '06:00' }, '2026-04-01T12:00:00Z', 2)).toEqual([
    '2026-04-07 06:00',
    '2026-04-08 06:00',
  ]);
});

it('every week is due on its weekday', () => {
  expect(dueAfter({ every: 'week', weekday: 'sunday', at: '23:59' }, '2026-11-02T12:00:00Z', 2)).toEqual([
    '2026-11-08 23:59',
    '2026-11-15 23:59',
  ]);
  expect(dueAfter({ every: 'week', weekday: 'monday', at: '12:00' }, '2026-11-02T10:00:00Z', 1)).toEqual([
    '2026-11-02 12:00',
  ]);
});

it('is always due later, on a day of its own, within eleven days', () => {
  const schedules = fc.record({
    every: fc.constantFrom('day', 'working-day', 'week'),
    hour: fc.integer({ min: 0, max: 23 }),
    minute: fc.integer({ min: 0, max: 59 }),
    weekday: fc.constantFrom(...WEEKDAYS),
  });
  fc.assert(
    fc.property(
      schedules,
      fc.date({ min: new Date('2020-01-01'), max: new Date('2040-01-01'), noInvalidDate: true }),
      (given, after) => {
        const pad = (n: number) => String(n).padStart(2, '0');
        const { every, weekday } = given;
        const at = `${pad(given.hour)}:${pad(given.minute)}`;
        const schedule: Schedule = every === 'week' ? { every, weekday, at } : { every, at };
        const due = nextDue(schedule, after);
        const next = nextDue(schedule, due);
        expect(due > after && due.getTime() - after.getTime() < 11 * DAY).toBe(true);
        expect(danishTime(next).slice(0, 10) > danishTime(due).slice(0, 10)).toBe(true);
      },
    ),
  );
});
