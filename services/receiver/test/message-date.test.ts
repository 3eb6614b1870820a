import { describe, expect, test } from 'vitest';
import { plausibleDate } from '../src/intake/decide.js';

describe('the date of a message', () => {
  const received = new Date('2026-03-05T00:00:00Z');

  test.each(['2026-03-04T08:30:00Z', '2000-01-01T00:00:00Z', '2026-03-05T00:00:00Z'])('is its own, %s', (own) => {
    expect(plausibleDate(new Date(own), received)).toEqual(new Date(own));
  });

  test.each(['0001-01-01T00:00:00Z', '1999-12-31T23:59:59Z', '2026-03-05T00:00:00.001Z', '9999-12-31T00:00:00Z'])(
    'is the time of receipt when its own is %s',
    (own) => {
      expect(plausibleDate(new Date(own), received)).toBe(received);
    },
  );

  test('is the time of receipt when it has none', () => {
    expect(plausibleDate(undefined, received)).toBe(received);
  });
});
