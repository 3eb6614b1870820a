import { expect, it } from 'vitest';
import { danishTime, instantOf } from '../../src/danish-time/index.js';

it.each([
  ['2026-01-15T11:00:00Z', '2026-01-15 12:00:00'],
  ['2026-07-15T22:30:00Z', '2026-07-16 00:30:00'],
  ['2026-12-31T23:00:00Z', '2027-01-01 00:00:00'],
])('at %s Danish clocks show %s', (at, shown) => {
  expect(danishTime(new Date(at))).toBe(shown);
});

it.each([
  ['2026-01-15', '07:30', '2026-01-15T06:30:00.000Z'],
  ['2026-07-15', '07:30', '2026-07-15T05:30:00.000Z'],
  ['2026-07-15', '00:00', '2026-07-14T22:00:00.000Z'],
  // Clocks skip 02:00 to 03:00 on 29 March 2026, and show 02:00 to 03:00 twice on 25 October.
  ['2026-03-29', '01:59', '2026-03-29T00:59:00.000Z'],
  ['2026-03-29', '02:30', '2026-03-29T01:30:00.000Z'],
  ['2026-03-29', '03:00', '2026-03-29T01:00:00.000Z'],
  ['2026-10-25', '02:30', '2026-10-25T00:30:00.000Z'],
  ['2026-10-25', '03:00', '2026-10-25T02:00:00.000Z'],
])('Danish clocks show %s %s at %s', (day, time, at) => {
  expect(instantOf(day, time).toISOString()).toBe(at);
});
