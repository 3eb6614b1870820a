import { MINUTE } from '@indbakke/shared/config';
import { html } from '@indbakke/shared/html';
import type { Parts } from '@indbakke/shared/service';
import { table } from '../html/table.js';
import { inBoth } from '../pages/language.js';
import { STATUSES_OF_MESSAGES } from './mail.js';
import { defineSection } from './section.js';

/** A municipality, or one of its contact points, from which nothing has come for far longer than usual. */
export interface Silent {
  readonly municipality: string;
  /** Null of the municipality as a whole. */
  readonly contactPointId: string | null;
  readonly lastAt: Date;
  /** Its longest gap in the last 90 days, in seconds. */
  readonly longestGap: number;
}

// Of one that gets less, no gap is unusual.
const LEAST_MESSAGES = 20;

/**
 * Who is silent: nothing for twice the longest gap of the last 90 days, and for 24 hours at least. Reads an index from end to end of
 * these days, so it is not for every look at a page.
 */
export function readSilence({ store }: Pick<Parts, 'store'>): Promise<Silent[]> {
  return store.sweep<Silent>(
    `WITH arrivals AS (
       SELECT c.municipality, c.contact_point_id, m.received_at FROM contact_points c CROSS JOIN LATERAL (
         SELECT received_at FROM messages m WHERE m.municipality = c.municipality AND m.contact_point_id = c.contact_point_id
           AND m.status = ANY ($1) AND m.received_at > now() - interval '90 days') AS m
       WHERE c.is_active AND c.removed_at IS NULL
       UNION ALL
       SELECT cvr, NULL, m.received_at FROM municipalities CROSS JOIN LATERAL (
         SELECT received_at FROM messages m WHERE m.municipality = cvr
           AND m.status = ANY ($1) AND m.received_at > now() - interval '90 days') AS m
     ), gaps AS (
       SELECT municipality, contact_point_id, received_at,
         received_at - lag(received_at) OVER (PARTITION BY municipality, contact_point_id ORDER BY received_at) AS gap
       FROM arrivals
     ), usual AS (
       SELECT municipality, contact_point_id, max(received_at) AS last_at, max(gap) AS longest
       FROM gaps GROUP BY municipality, contact_point_id HAVING count(*) >= ${LEAST_MESSAGES}
     )
     SELECT municipality, contact_point_id AS "contactPointId", last_at AS "lastAt", extract(epoch FROM longest)::float8 AS "longestGap"
     FROM usual JOIN municipalities ON cvr = municipality
     WHERE NOT is_training AND now() - last_at > greatest(2 * longest, interval '24 hours')
     ORDER BY last_at`,
    [STATUSES_OF_MESSAGES],
  );
}

/** How long it is remembered; no silence is shorter than a day. */
export const SILENCE_MS = 10 * MINUTE;

/** Who gets nothing although it usually does, and how long ago anything was accepted. */
export const SILENCE = defineSection({
  name: 'silence',
  texts: inBoth({
    da: {
      title: 'Tavshed',
      municipality: 'Kommune',
      contactPoint: 'Kontaktpunkt',
      whole: 'hele kommunen',
      last: 'Sidst modtaget',
      usual: 'Hidtil længste pause',
      none: 'Alle får post, som de plejer.',
      some: {
        one: '1 kommune eller kontaktpunkt får ingen post',
        more: (count: string) => `${count} kommuner og kontaktpunkter får ingen post`,
      },
    },
    en: {
      title: 'Silence',
      municipality: 'Municipality',
      contactPoint: 'Contact point',
      whole: 'all of it',
      last: 'Last message',
      usual: 'Longest gap so far',
      none: 'All get mail as usual.',
      some: {
        one: '1 municipality or contact point gets no mail',
        more: (count: string) => `${count} municipalities and contact points get no mail`,
      },
    },
  }),
  read: (parts) => parts.silence(),
  view: (silent, texts, { time, duration, counted }) => ({
    title: texts.title,
    concern: silent.length > 0 ? counted(silent.length, texts.some) : undefined,
    body: table(
      texts.title,
      [
        { heading: texts.municipality, of: ({ municipality }) => municipality },
        {
          heading: texts.contactPoint,
          of: ({ contactPointId }) => (contactPointId === null ? texts.whole : html`<code>${contactPointId}</code>`),
        },
        { heading: texts.last, of: ({ lastAt }) => time(lastAt) },
        { heading: texts.usual, of: ({ longestGap }) => duration(longestGap), isNumber: true },
      ],
      silent,
      texts.none,
    ),
  }),
});
