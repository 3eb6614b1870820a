import { html } from '@indbakke/shared/html';
import type { Parts } from '@indbakke/shared/service';
import { table } from '../html/table.js';
import { inBoth } from '../pages/language.js';
import { defineSection } from './section.js';

/** An id that is refused again and again, and is not here. */
export interface RefusedOften {
  readonly externalId: string;
  readonly count: number;
  readonly codes: readonly string[];
  readonly firstAt: Date;
  readonly lastAt: Date;
}

/** The latest of them, those that still come. @param often so many refusals are a resend loop */
export function readRefusedOften({ store }: Pick<Parts, 'store'>, often: number): Promise<RefusedOften[]> {
  return store.sweep<RefusedOften>(
    `WITH often AS (
       SELECT external_id, sum(count)::int AS count, array_agg(code ORDER BY code) AS codes, min(first_at) AS first_at, max(last_at) AS last_at
       FROM refused_deliveries GROUP BY external_id HAVING sum(count) >= $1 AND max(last_at) > now() - interval '2 days'
     )
     SELECT external_id AS "externalId", count, codes, first_at AS "firstAt", last_at AS "lastAt" FROM often
     WHERE external_id <> ALL (ARRAY(SELECT ids_here(ARRAY(SELECT external_id FROM often))))
     ORDER BY last_at DESC LIMIT 1000`,
    [often],
  );
}

const KEEP_DAYS = 35;
const MAX_ROWS = 100_000;

/** Removes what has not come for long, and the oldest when there are too many. */
export async function sweepOldRefusals({ store }: Pick<Parts, 'store'>): Promise<void> {
  await store.sweep(
    `DELETE FROM refused_deliveries WHERE last_at < greatest(now() - make_interval(days => $1),
       (SELECT last_at FROM refused_deliveries ORDER BY last_at DESC OFFSET $2 LIMIT 1))`,
    [KEEP_DAYS, MAX_ROWS],
  );
}

/** Letters that are refused again and again. */
export const REFUSALS = defineSection({
  name: 'refusals',
  texts: inBoth({
    da: {
      title: 'Afvist igen og igen',
      id: 'Meddelelses-id',
      count: 'Gange',
      codes: 'Hvorfor',
      first: 'Første gang',
      last: 'Sidste gang',
      none: 'Intet brev afvises igen og igen.',
      some: { one: '1 brev afvises igen og igen', more: (count: string) => `${count} breve afvises igen og igen` },
    },
    en: {
      title: 'Refused again and again',
      id: 'Id of the message',
      count: 'Times',
      codes: 'Why',
      first: 'First',
      last: 'Last',
      none: 'No letter is refused again and again.',
      some: {
        one: '1 letter is refused again and again',
        more: (count: string) => `${count} letters are refused again and again`,
      },
    },
  }),
  read: (parts) => readRefusedOften(parts, parts.config.QUARANTINE_LOOP_AFTER),
  view: (refused, texts, { number, time, counted }) => ({
    title: texts.title,
    concern: refused.length > 0 ? counted(refused.length, texts.some) : undefined,
    body: table(
      texts.title,
      [
        { heading: texts.id, of: ({ externalId }) => html`<code>${externalId}</code>` },
        { heading: texts.count, of: ({ count }) => number(count), isNumber: true },
        { heading: texts.codes, of: ({ codes }) => html`<code>${codes.join(', ')}</code>` },
        { heading: texts.first, of: ({ firstAt }) => time(firstAt) },
        { heading: texts.last, of: ({ lastAt }) => time(lastAt) },
      ],
      refused,
      texts.none,
    ),
  }),
});
