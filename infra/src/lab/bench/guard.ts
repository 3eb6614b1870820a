import { atLeast, atMost, type Bench, type Outcome } from './bench.js';
import { compareLarge } from './intake-large.js';
import { smallOfPlain } from './intake-small.js';
import { rounded } from './measure.js';
import type { Place } from './place.js';

const CLIENTS = 16;

// Far from the measured values: a busy machine must stay within them, several times slower code must not.
const MAX_RATIO_TO_LIMIT = 2.5; // measured: time 1.2 to 1.9, processor 1.4
const MAX_GROWTH_MB = 60; // measured: 32
const MIN_TIMES_FASTER_LARGE = 1; // measured: 3 to 5
const MIN_TIMES_FASTER_SMALL = 0.8; // measured: 2.0, and 1.2 on a very busy machine

/** For continuous integration: only ratios and memory, because absolute times depend on the machine. */
export const guard: Bench = {
  name: 'guard',
  measures: 'A short intake-large and intake-small, to notice when something is several times slower.',

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
        'Time: of the medians or of the best rounds, whichever ratio is lower. Other work on the machine may shift one of them, slower code shifts both. It hardly affects processor time.',
      ],
    };
  },
};
