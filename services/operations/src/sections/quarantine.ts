import { html } from '@indbakke/shared/html';
import { list } from '../html/list.js';
import { inBoth } from '../pages/language.js';
import { defineSection } from './section.js';

interface QuarantineFigures {
  readonly entries: number;
  readonly bytes: number;
  readonly loops: number;
  readonly undecided: number;
  readonly lastAt: Date | null;
}

/** What could not be read, and what is resent again and again. */
export const QUARANTINE = defineSection({
  name: 'quarantine',
  texts: inBoth({
    da: {
      title: 'Karantæne',
      none: 'Karantænen er tom.',
      entries: 'Leverancer',
      bytes: 'Fylder',
      loops: 'Gensendes igen og igen',
      lastAt: 'Sidste kom',
      some: {
        one: '1 leverance venter på en beslutning',
        more: (count: string) => `${count} leverancer venter på en beslutning`,
      },
      inLoop: {
        one: '1 leverance gensendes igen og igen',
        more: (count: string) => `${count} leverancer gensendes igen og igen`,
      },
    },
    en: {
      title: 'Quarantine',
      none: 'The quarantine is empty.',
      entries: 'Deliveries',
      bytes: 'Size',
      loops: 'Resend loops',
      lastAt: 'Last came',
      some: {
        one: '1 delivery waits for a decision',
        more: (count: string) => `${count} deliveries wait for a decision`,
      },
      inLoop: {
        one: '1 delivery is resent again and again',
        more: (count: string) => `${count} deliveries are resent again and again`,
      },
    },
  }),
  async read({ store, config }): Promise<QuarantineFigures | undefined> {
    const [found] = await store.sweep<QuarantineFigures & Record<string, unknown>>(
      `SELECT count(*)::int AS entries, coalesce(sum(size), 0)::float8 AS bytes,
         count(*) FILTER (WHERE status = 'kept' AND count >= $1)::int AS loops,
         count(*) FILTER (WHERE status = 'kept')::int AS undecided, max(last_at) AS "lastAt" FROM quarantine_entries`,
      [config.QUARANTINE_LOOP_AFTER],
    );
    return found;
  },
  view(found, texts, { number, bytes, time, counted }) {
    const { entries = 0, loops = 0, undecided = 0, lastAt = null } = found ?? {};
    const concern =
      loops > 0 ? counted(loops, texts.inLoop) : undecided > 0 ? counted(undecided, texts.some) : undefined;
    return {
      title: texts.title,
      concern,
      body:
        entries === 0
          ? html`<p>${texts.none}</p>`
          : list([
              [texts.entries, number(entries)],
              [texts.loops, number(loops)],
              [texts.bytes, bytes(found?.bytes ?? 0)],
              [texts.lastAt, lastAt ? time(lastAt) : '–'],
            ]),
    };
  },
});
