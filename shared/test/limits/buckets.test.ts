import { describe, expect, it } from 'vitest';
import { Buckets } from '../../src/limits/buckets.js';
import { sourceOf } from '../../src/limits/source.js';

/** A bucket at a clock that stands still until it is moved. */
function bucketsAt(perMinute: number) {
  const clock = { ms: 0 };
  return { clock, buckets: new Buckets(perMinute, () => clock.ms) };
}

describe('a key', () => {
  it('may come so many times at once, and again as time goes by', () => {
    const { clock, buckets } = bucketsAt(3);
    const take = () => buckets.take('a');
    expect([take(), take(), take(), take(), take()]).toEqual([0, 0, 0, 20, 20]);
    clock.ms = 19_000;
    expect(take()).toBe(1);
    clock.ms = 20_000;
    expect([take(), take()]).toEqual([0, 20]);
    clock.ms = 3_600_000;
    expect([take(), take(), take(), take()]).toEqual([0, 0, 0, 20]);
  });

  it('does not take what another one has', () => {
    const { buckets } = bucketsAt(1);
    expect([buckets.take('a'), buckets.take('a'), buckets.take('b')]).toEqual([0, 60, 0]);
  });

  it('may come as often as it likes where there is no limit', () => {
    const { buckets } = bucketsAt(0);
    expect(Array.from({ length: 1_000 }, () => buckets.take('a')).every((seconds) => seconds === 0)).toBe(true);
  });

  it('is forgotten when 10 000 others have come since, and not before 4 000 have', () => {
    const { buckets } = bucketsAt(1);
    const comeOthers = (from: number, to: number) => {
      for (let other = from; other < to; other += 1) {
        buckets.take(String(other));
        expect(buckets.take('busy')).toBe(60);
      }
    };
    for (const key of ['idle', 'busy', 'seldom']) buckets.take(key);
    comeOthers(0, 4_000);
    expect(buckets.take('seldom')).toBe(60);
    comeOthers(4_000, 10_000);
    expect(buckets.take('idle')).toBe(0);
  });
});

describe.each([1, 7, 30, 600, 30_000, 1_000_000])('where %d may come in a minute, it', (perMinute) => {
  it('are so many exactly', () => {
    const { clock, buckets } = bucketsAt(perMinute);
    clock.ms = 30 * 24 * 3_600_000;
    let times = 0;
    while (buckets.take('a') === 0) times += 1;
    expect(times).toBe(perMinute);
  });
});

describe('the source of an address is', () => {
  it.each([
    ['203.0.113.7', '203.0.113.7'],
    ['2001:db8:0:1:2:3:4:5', '2001:db8:0:1'],
    ['2001:0DB8:0000:0001::9', '2001:db8:0:1'],
    ['2001:db8::7', '2001:db8:0:0'],
    ['2001:db8:1:2:3::', '2001:db8:1:2'],
    ['::1', '0:0:0:0'],
    ['fe80::1%eth0', 'fe80:0:0:0'],
    ['64:ff9b::203.0.113.7', '64:ff9b:0:0'],
    ['', ''],
  ])('of %s %s', (address, source) => {
    expect(sourceOf(address)).toBe(source);
  });
});
