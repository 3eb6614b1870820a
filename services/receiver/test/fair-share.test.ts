import { HOUR, SECOND } from '@indbakke/shared/config';
import { describe, expect, it } from 'vitest';
import { FairShare } from '../src/intake/fair-share.js';

const [FLOODED, OTHER] = ['33333333', '22222222'];
const PLACES = 10;
const AT_ONCE = 41;

function share({ isAlone = false, now = 0 } = {}): FairShare {
  const share = new FairShare(PLACES);
  share.stored(FLOODED, now);
  if (!isAlone) share.stored(OTHER, now);
  return share;
}

/** How long each of so many letters that come at once has to wait. */
const waits = (of: FairShare, letters: number, now: number) =>
  Array.from({ length: letters }, () => of.take(FLOODED, now));

describe('a municipality for which very many letters come', () => {
  it('waits for nothing while there are none for another', () => {
    expect(waits(share({ isAlone: true }), 10_000, 0).at(-1)).toBe(0);
  });

  it('has 4 letters a second stored in each receiver when there are some for another, after 40 at once', () => {
    const among = share();
    expect([waits(among, AT_ONCE, 0).at(-1), waits(among, 4, 0).at(-1)]).toEqual([0, SECOND]);
  });

  it('lets each letter for another through at once', () => {
    const among = share();
    waits(among, 10_000, 0);
    expect(among.take(OTHER, 1)).toBe(0);
  });

  it('has its share again when it has waited', () => {
    const among = share();
    waits(among, AT_ONCE + 4, 0);
    expect(waits(among, 4, 2 * SECOND).at(-1)).toBe(0);
  });

  it('that is none of ours waits for nothing, as it is refused', () => {
    const among = share();
    for (let n = 0; n < 1_000; n += 1) expect(among.take('44444444', 0)).toBe(0);
  });

  it('waits for nothing an hour after the last letter for another', () => {
    const among = share();
    waits(among, 1_000, 0);
    expect(waits(among, 10_000, HOUR).at(-1)).toBe(0);
  });

  it('has half of the places for deliveries at most: more are sent again', () => {
    const now = performance.now();
    const among = share({ now });
    waits(among, AT_ONCE, now);
    const waiting = Array.from({ length: PLACES / 2 }, () => among.turn(FLOODED));
    expect(() => among.take(FLOODED, now)).toThrow('Very many letters of this municipality');
    expect(among.take(OTHER, now)).toBe(0);
    return Promise.all(waiting);
  });
});
