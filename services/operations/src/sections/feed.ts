import { list } from '../html/list.js';
import { inBoth } from '../pages/language.js';
import { defineSection } from './section.js';

// A position is given within a second of the commit.
const LONG_SECONDS = 60;

/** How far the numberer lags behind: events that consumers of the feed do not see yet, audit rows that are not chained yet. */
export const FEED = defineSection({
  name: 'feed',
  texts: inBoth({
    da: {
      title: 'Hændelser og nummerering',
      events: 'Ældste hændelse uden nummer',
      audit: 'Ældste række i revisionsloggen uden nummer',
      none: 'ingen venter',
      slow: (time: string) => `Nummereringen er ${time} bagud`,
    },
    en: {
      title: 'Feed and numberer',
      events: 'Oldest event without a position',
      audit: 'Oldest audit row without a position',
      none: 'none waits',
      slow: (time: string) => `The numberer is ${time} behind`,
    },
  }),
  async read({ store }) {
    const [found] = await store.sweep<{ events: number | null; audit: number | null }>(
      `SELECT (SELECT extract(epoch FROM now() - min(at))::float8 FROM events WHERE position IS NULL) AS events,
         (SELECT extract(epoch FROM now() - min(at))::float8 FROM audit_events WHERE position IS NULL) AS audit`,
    );
    return { events: found?.events ?? null, audit: found?.audit ?? null };
  },
  view({ events, audit }, texts, { duration }) {
    const longest = Math.max(events ?? 0, audit ?? 0);
    const of = (seconds: number | null) => (seconds === null ? texts.none : duration(seconds));
    return {
      title: texts.title,
      concern: longest > LONG_SECONDS ? texts.slow(duration(longest)) : undefined,
      body: list([
        [texts.events, of(events)],
        [texts.audit, of(audit)],
      ]),
    };
  },
});
