import { timeOf } from '@indbakke/shared/audit-log';
import { expect, it } from 'vitest';

it.each([
  ['2026-03-29T00:59:59Z', '29-03-2026 01:59:59'],
  ['2026-03-29T01:00:00Z', '29-03-2026 03:00:00'],
  ['2026-10-25T00:30:00Z', '25-10-2026 02:30:00'],
  ['2026-10-25T01:30:00Z', '25-10-2026 02:30:00 (vintertid)'],
  ['2026-10-25T02:00:00Z', '25-10-2026 03:00:00'],
  ['2028-02-28T23:30:00Z', '29-02-2028 00:30:00'],
  ['2026-12-31T23:00:00.999Z', '01-01-2027 00:00:00'],
])('the sheet of the audit log shows %s as %s', (at, shown) => {
  expect(timeOf(new Date(at))).toBe(shown);
});
