import { atLeast, atMost, type Bench, type Outcome } from './bench.js';
import { compareLarge } from './intake-large.js';
import { smallOfPlain } from './intake-small.js';
import { rounded } from './measure.js';
import type { Place } from './place.js';

const CLIENTS = 16;

// Far from what is measured: a machine that is busy must not cross them, code that has become several times slower must.
const MAX_RATIO_TO_LIMIT = 2.5;
const MAX_GROWTH_MB = 60;
const MIN_TIMES_FASTER_LARGE = 1;
// Measured 0.8 to 0.9 when this was written. To be raised with the intake of small letters, to a third of what is measured.
const MIN_TIMES_FASTER_SMALL = 0.4;

/** What continuous integration looks at: ratios and memory only, because the time itself is that of the machine. */
export const guard: Bench = {
  name: 'guard',
  measures: 'The shortest form of intake-large and intake-small, to see that nothing has become several times slower.',

  async run(place: Place): Promise<Outcome> {
    const large = await compareLarge(
      place,
      { quick: true, rounds: 1 },
      { atOnce: 1, maxRatio: MAX_RATIO_TO_LIMIT, rounds: () => 3, plainRounds: () => 1 },
    );
    const {
      ratio_to_limit = Number.NaN,
      times_faster_than_plain = Number.NaN,
      rss_growth_mb = Number.NaN,
    } = large.figures;
    const small = rounded(await smallOfPlain(place, CLIENTS, 3, 0.5));
    const goals = [
      atMost('104 MB: time, of (a)', ratio_to_limit, MAX_RATIO_TO_LIMIT, ' ×'),
      atMost('104 MB: growth of peak RSS', rss_growth_mb, MAX_GROWTH_MB, ' MB'),
      atLeast('104 MB: faster than (b)', times_faster_than_plain, MIN_TIMES_FASTER_LARGE, ' ×'),
      atLeast(`20 KB, ${CLIENTS} clients: rate, of (b)`, small, MIN_TIMES_FASTER_SMALL, ' ×'),
    ];
    return {
      columns: large.columns,
      rows: large.rows,
      figures: { ratio_to_limit, rss_growth_mb, times_faster_than_plain, [`small_of_plain_${CLIENTS}`]: small },
      goals,
      notes: ['(a), (b): as in intake-large and intake-small.'],
    };
  },
};
