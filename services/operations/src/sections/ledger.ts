import { html } from '@indbakke/shared/html';
import { table } from '../html/table.js';
import { countDifferences, type FoundDifference, type Kind, readAges, readDifferences } from '../ledger/differences.js';
import type { Fate, Fates } from '../ledger/lines.js';
import { inBoth } from '../pages/language.js';
import { defineSection } from './section.js';

interface LedgerFigures {
  /** Of all municipalities together, the newest first. */
  readonly days: readonly { readonly day: string; readonly received: number; readonly fates: Fates }[];
  /** Since the content of some day was compared with its hashes; undefined when there is no day. */
  readonly unreadSeconds: number | undefined;
  readonly differences: readonly FoundDifference[];
  readonly differenceCount: number;
}

const DAYS = 7;
const MOST_DIFFERENCES = 50;

/** What was received in the last days and what became of it; and what is not as the ledger says. */
export const LEDGER = defineSection({
  name: 'ledger',
  texts: inBoth({
    da: {
      title: 'Daglig opgørelse',
      some: { one: '1 afvigelse fra opgørelsen', more: (count: string) => `${count} afvigelser fra opgørelsen` },
      days: 'Modtaget, og hvad der var blevet af det natten efter',
      day: 'Dag',
      received: 'Modtaget',
      none: 'Der er ingen dage i opgørelsen endnu. En dag opgøres, når den er slut.',
      read: (time: string) =>
        `Intet indhold har ventet længere end ${time} på at blive sammenlignet med sin kontrolsum.`,
      differences: 'Afvigelser',
      what: 'Meddelelse eller fil',
      municipality: 'Kommune',
      kind: 'Afvigelse',
      found: 'Fundet',
      more: (count: string) => `Og ${count} til: npm run ledger -- --verify viser dem.`,
      fates: {
        suggested: 'Venter med forslag',
        pending: 'Venter uden forslag',
        held: 'Tilbageholdt',
        journalized: 'Journaliseret',
        'content-removed': 'Indhold fjernet',
        rejected: 'Afvist',
        'handed-over': 'Overdraget',
        deleted: 'Slettet',
      } satisfies Record<Fate, string> as Record<Fate, string>,
      kinds: {
        gone: 'er modtaget, men findes ikke',
        'not-counted': 'er ikke med i dagens opgørelse',
        altered: 'er ændret siden opgørelsen',
        incomplete: 'mangler rækker eller har for mange',
        'content-missing': 'mangler sit indhold',
        'content-damaged': 'har et andet indhold end det modtagne',
        'key-missing': 'har indhold under en hovednøgle, som mangler',
        'line-forged': 'er en fil i opgørelsen, som er ændret',
        'line-missing': 'er en fil i opgørelsen, som mangler',
        restored: 'er en gendannet database: kør npm run restore-check',
      } satisfies Record<Kind, string> as Record<Kind, string>,
    },
    en: {
      title: 'Ledger',
      some: { one: '1 difference from the ledger', more: (count: string) => `${count} differences from the ledger` },
      days: 'Received, and what had become of it the night after',
      day: 'Day',
      received: 'Received',
      none: 'The ledger has no days yet. A day is counted when it is over.',
      read: (time: string) => `No content has waited longer than ${time} to be compared with its hash.`,
      differences: 'Differences',
      what: 'Message or file',
      municipality: 'Municipality',
      kind: 'Difference',
      found: 'Found',
      more: (count: string) => `And ${count} more: npm run ledger -- --verify shows them.`,
      fates: {
        suggested: 'Waiting with a suggestion',
        pending: 'Waiting without one',
        held: 'Held',
        journalized: 'Journalized',
        'content-removed': 'Content removed',
        rejected: 'Rejected',
        'handed-over': 'Handed over',
        deleted: 'Deleted',
      },
      kinds: {
        gone: 'was received and is not there',
        'not-counted': 'is not in the line of its day',
        altered: 'was altered since it was counted',
        incomplete: 'lacks rows, or has too many',
        'content-missing': 'lacks its content',
        'content-damaged': 'has other content than was received',
        'key-missing': 'has content under a master key that is missing',
        'line-forged': 'is a file of the ledger that was altered',
        'line-missing': 'is a file of the ledger that is missing',
        restored: 'is a restored database: run npm run restore-check',
      },
    },
  }),
  async read(parts): Promise<LedgerFigures> {
    const [days, { unread }, counts, differences] = await Promise.all([
      parts.store.sweep<LedgerFigures['days'][number]>(
        `SELECT day::text, sum(received)::int AS received, jsonb_object_agg(fate, count) AS fates FROM (
           SELECT day, fate, sum(count::int)::int AS count, CASE WHEN fate = 'pending' THEN sum(received) END AS received
           FROM ledger_days CROSS JOIN LATERAL jsonb_each_text(fates) AS f (fate, count)
           WHERE day > (SELECT max(day) FROM ledger_days) - $1::int GROUP BY day, fate) AS by_fate
         GROUP BY day ORDER BY day DESC`,
        [DAYS],
      ),
      readAges(parts),
      countDifferences(parts),
      readDifferences(parts, MOST_DIFFERENCES),
    ]);
    return {
      days,
      unreadSeconds: unread ?? undefined,
      differences,
      differenceCount: Object.values(counts).reduce((sum, count) => sum + count, 0),
    };
  },
  view({ days, unreadSeconds, differences, differenceCount }, texts, { number, duration, time, counted }) {
    const more = differenceCount - differences.length;
    return {
      title: texts.title,
      concern: differenceCount > 0 ? counted(differenceCount, texts.some) : undefined,
      body: html`${
        differences.length > 0 &&
        table(
          texts.differences,
          [
            { heading: texts.what, of: ({ subject }) => html`<code>${subject}</code>` },
            { heading: texts.municipality, of: ({ municipality }) => municipality },
            { heading: texts.day, of: ({ day }) => day ?? '–' },
            { heading: texts.kind, of: ({ kind }) => texts.kinds[kind] },
            { heading: texts.found, of: ({ foundAt }) => time(foundAt) },
          ],
          differences,
        )
      }${more > 0 && html`<p>${texts.more(number(more))}</p>`}${table(
        texts.days,
        [
          { heading: texts.day, of: ({ day }) => day },
          { heading: texts.received, of: ({ received }) => number(received), isNumber: true },
          ...Object.entries(texts.fates).map(([fate, heading]) => ({
            heading,
            of: ({ fates }: LedgerFigures['days'][number]) => number(fates[fate as Fate] ?? 0),
            isNumber: true,
          })),
        ],
        days,
        texts.none,
      )}${unreadSeconds !== undefined && html`<p>${texts.read(duration(unreadSeconds))}</p>`}`,
    };
  },
});
