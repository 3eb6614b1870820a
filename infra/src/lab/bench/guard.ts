import { atLeast, atMost, type Bench, type Outcome } from './bench.js';
import { compareLarge } from './intake-large.js';
import { smallOfPlain } from './intake-small.js';
import { rounded } from './measure.js';
import type { Place } from './place.js';

const CLIENTS = 16;

// Far from what is measured: a machine that is busy must not cross them, code that has become several times slower must.
const MAX_RATIO_TO_LIMIT = 2.5; // measured: time 1.2 to 1.9, processor 1.4
const MAX_GROWTH_MB = 60; // measured: 32
const MIN_TIMES_FASTER_LARGE = 1; // measured: 3 to 5
const MIN_TIMES_FASTER_SMALL = 0.8; // measured: 2.0, and 1.2 on a very busy machine

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
    const figure = (name: string) => large.figures[name] ?? Number.NaN;
    const small = rounded(await smallOfPlain(place, CLIENTS, 3, 0.5));
    const limit = MAX_RATIO_TO_LIMIT;
    const goals = [
      atMost('104 MB: time, of (a)', Math.min(figure('ratio_to_limit'), figure('best_ratio_to_limit')), limit, ' ×'),
      atMost('104 MB: processor time, of (a)', figure('cpu_ratio_to_limit'), limit, ' ×'),
      atMost('104 MB: growth of peak RSS', figure('rss_growth_mb'), MAX_GROWTH_MB, ' MB'),
      atLeast('104 MB: faster than (b)', figure('times_faster_than_plain'), MIN_TIMES_FASTER_LARGE, ' ×'),
      atLeast(`20 KB, ${CLIENTS} clients: rate, of (b)`, small, MIN_TIMES_FASTER_SMALL, ' ×'),
    ];
    return {
      columns: large.columns,
      rows: large.rows,
      figures: { ...large.figures, [`small_of_plain_${CLIENTS}`]: small },
      goals,
      notes: [
        '(a), (b): as in intake-large and intake-small.',
        'Time: of the medians or of the best rounds, whichever is nearer. Other work on the machine shifts one of them now and then, slower code both; the processor’s time it hardly touches.',
      ],
    };
  },
};
