import { GONE_SECONDS, type Parts } from '@indbakke/shared/service';
import { table } from '../html/table.js';
import { inBoth } from '../pages/language.js';
import { defineSection } from './section.js';

/** A time in which nothing could be taken in. */
export interface Outage {
  readonly from: Date;
  /** Null: it lasts. */
  readonly until: Date | null;
}

/** From the newest on. The present one is in no row yet: the receiver that ends it writes it down. */
export function readOutages({ store }: Pick<Parts, 'store'>, limit: number): Promise<Outage[]> {
  return store.sweep<Outage>(
    `SELECT from_at AS from, until_at AS until FROM outages
     UNION ALL
     SELECT max(able_at), NULL FROM copies WHERE 'receiver' = ANY (services)
     HAVING max(able_at) < now() - interval '${GONE_SECONDS} seconds'
     ORDER BY 1 DESC LIMIT $1`,
    [limit],
  );
}

const SHOWN = 20;

/** When nothing could be taken in. */
export const OUTAGES = defineSection({
  name: 'outages',
  texts: inBoth({
    da: {
      title: 'Afbrydelser',
      from: 'Fra',
      until: 'Til',
      lasted: 'Varede',
      now: 'nu',
      none: 'Der har ingen været.',
      concern: (time: string) => `Ingen modtager har kunnet tage imod i ${time}`,
    },
    en: {
      title: 'Outages',
      from: 'From',
      until: 'Until',
      lasted: 'Lasted',
      now: 'now',
      none: 'There have been none.',
      concern: (time: string) => `No receiver has been able to store messages for ${time}`,
    },
  }),
  read: async (parts, now) =>
    (await readOutages(parts, SHOWN)).map((outage) => ({
      ...outage,
      seconds: ((outage.until ?? now).getTime() - outage.from.getTime()) / 1_000,
    })),
  view(outages, texts, { time, duration }) {
    const [newest] = outages;
    return {
      title: texts.title,
      concern: newest && newest.until === null ? texts.concern(duration(newest.seconds)) : undefined,
      body: table(
        texts.title,
        [
          { heading: texts.from, of: ({ from }) => time(from) },
          { heading: texts.until, of: ({ until }) => (until ? time(until) : texts.now) },
          { heading: texts.lasted, of: ({ seconds }) => duration(seconds), isNumber: true },
        ],
        outages,
        texts.none,
      ),
    };
  },
});
