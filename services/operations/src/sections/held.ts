import { DAY } from '@indbakke/shared/config';
import { HELD_CAUSES, type HeldCause } from '@indbakke/shared/lifecycle';
import type { Store } from '@indbakke/shared/store';
import { table } from '../html/table.js';
import { inBoth } from '../pages/language.js';
import { defineSection } from './section.js';

export const CAUSES = Object.keys(HELD_CAUSES) as [HeldCause, ...HeldCause[]];

export const CAUSES_IN_WORDS = inBoth<Readonly<Record<HeldCause, string>>>({
  da: {
    conflict: 'samme nummer, andet indhold',
    'not-live': 'kommunen er ikke i drift her',
    'unknown-contact-point': 'kontaktpunktet er ikke sat op',
    'contact-point-off': 'kontaktpunktet er slået fra, eller til andre breve',
    'replies-off': 'svar er slået fra',
    'enquiries-off': 'henvendelser er slået fra',
  },
  en: {
    conflict: 'same id, other content',
    'not-live': 'the municipality is not live here',
    'unknown-contact-point': 'the contact point is not set up',
    'contact-point-off': 'the contact point is off, or for other messages',
    'replies-off': 'replies are off',
    'enquiries-off': 'enquiries are off',
  },
});

/** What a municipality holds for one cause. */
export interface HeldGroup {
  readonly municipality: string;
  readonly cause: HeldCause;
  readonly count: number;
  readonly oldest: Date;
}

const HELD = `FROM messages JOIN municipalities ON cvr = municipality WHERE status = 'held' AND NOT is_training`;

/** What is held, the longest first; nothing of training municipalities. */
export const readHeld = ({ sweep }: Store): Promise<HeldGroup[]> =>
  sweep<HeldGroup & Record<string, unknown>>(
    `SELECT municipality, held_cause AS cause, count(*)::int AS count, min(received_at) AS oldest
     ${HELD} GROUP BY municipality, held_cause ORDER BY oldest, municipality, held_cause`,
  );

const DAYS = 14;

/** How many of what is held came on each of the last days, the oldest day first. */
export async function readHeldByDay({ sweep }: Store, now: Date): Promise<{ day: Date; count: number }[]> {
  const first = Math.floor(now.getTime() / DAY) * DAY - (DAYS - 1) * DAY;
  const rows = await sweep<{ day: number; count: number }>(
    `SELECT floor(extract(epoch FROM received_at - $1::timestamptz) / 86400)::int AS day, count(*)::int AS count
     ${HELD} AND received_at >= $1 GROUP BY 1`,
    [new Date(first)],
  );
  return Array.from({ length: DAYS }, (_, day) => ({
    day: new Date(first + day * DAY),
    count: rows.find((row) => row.day === day)?.count ?? 0,
  }));
}

/** What is held, by cause. */
export const HELD_MAIL = defineSection({
  name: 'held',
  texts: inBoth({
    da: {
      title: 'Tilbageholdte breve',
      causes: CAUSES_IN_WORDS.da,
      none: 'Ingen breve holdes tilbage.',
      cause: 'Årsag',
      municipalities: 'Kommuner',
      count: 'Breve',
      oldest: 'Ældste',
      some: { one: '1 brev holdes tilbage', more: (count: string) => `${count} breve holdes tilbage` },
    },
    en: {
      title: 'Held messages',
      causes: CAUSES_IN_WORDS.en,
      none: 'No messages are held.',
      cause: 'Cause',
      municipalities: 'Municipalities',
      count: 'Messages',
      oldest: 'Oldest',
      some: { one: '1 message is held', more: (count: string) => `${count} messages are held` },
    },
  }),
  read: ({ store }) => readHeld(store),
  view(groups, texts, { number, time, counted }) {
    const all = groups.reduce((sum, { count }) => sum + count, 0);
    const causes = CAUSES.flatMap((cause) => {
      const of = groups.filter((group) => group.cause === cause);
      const [first] = of; // the oldest
      return first
        ? [
            {
              cause,
              municipalities: of.length,
              count: of.reduce((sum, each) => sum + each.count, 0),
              oldest: first.oldest,
            },
          ]
        : [];
    });
    return {
      title: texts.title,
      concern: all > 0 ? counted(all, texts.some) : undefined,
      body: table(
        texts.title,
        [
          { heading: texts.cause, of: ({ cause }) => texts.causes[cause] },
          { heading: texts.count, of: ({ count }) => number(count), isNumber: true },
          { heading: texts.municipalities, of: (row) => number(row.municipalities), isNumber: true },
          { heading: texts.oldest, of: ({ oldest }) => time(oldest) },
        ],
        causes,
        texts.none,
      ),
    };
  },
});
