import { HOUR, SECOND } from '@indbakke/shared/config';
import { html } from '@indbakke/shared/html';
import type { Store } from '@indbakke/shared/store';
import { table } from '../html/table.js';
import { inBoth } from '../pages/language.js';
import { defineSection, type Section } from './section.js';

/** Rows of an outbox of one municipality that are not sent, all of which say the same and failed the same way. */
interface Unsent {
  readonly municipality: string;
  readonly what: string;
  readonly count: number;
  /** The most that one of them has had. */
  readonly attempts: number;
  /** Of the last attempt, as a code; null: none has been made, or it was interrupted. */
  readonly fault: string | null;
  readonly oldestSeconds: number;
}

interface Outbox {
  readonly table: 'business_receipts' | 'onward_distributions';
  /** The column that tells what is to be sent. */
  readonly what: 'code' | 'recipient';
  /** Those that are to be sent. */
  readonly statuses: readonly string[];
}

const readUnsent = ({ sweep }: Store, { table, what, statuses }: Outbox): Promise<Unsent[]> =>
  sweep<Unsent & Record<string, unknown>>(
    `SELECT municipality, ${what} AS what, count(*)::int AS count, max(attempts)::int AS attempts, fault,
       extract(epoch FROM now() - min(at))::float8 AS "oldestSeconds"
     FROM ${table} WHERE status = ANY ($1)
     GROUP BY municipality, ${what}, fault ORDER BY min(at) LIMIT 200`,
    [statuses],
  );

/** As the alerts ReceiptsNotSent and NotSentOn have it. */
const LATE_SECONDS = HOUR / SECOND;

const COLUMNS = inBoth({
  da: {
    municipality: 'Kommune',
    count: 'Antal',
    attempts: 'Forsøg',
    fault: 'Seneste fejl',
    oldest: 'Ældste har ventet',
  },
  en: {
    municipality: 'Municipality',
    count: 'Count',
    attempts: 'Attempts',
    fault: 'Last fault',
    oldest: 'Oldest has waited',
  },
});

interface Texts {
  readonly title: string;
  readonly what: string;
  readonly none: string;
  readonly some: { readonly one: string; readonly more: (count: string) => string };
}

function defineUnsent(name: string, outbox: Outbox, texts: { readonly da: Texts; readonly en: Texts }): Section {
  return defineSection({
    name,
    texts: inBoth({ da: { ...COLUMNS.da, ...texts.da }, en: { ...COLUMNS.en, ...texts.en } }),
    read: ({ store }) => readUnsent(store, outbox),
    view(unsent, texts, { number, duration, counted }) {
      const late = unsent.filter(({ oldestSeconds }) => oldestSeconds > LATE_SECONDS);
      const count = late.reduce((sum, each) => sum + each.count, 0);
      return {
        title: texts.title,
        concern: count > 0 ? counted(count, texts.some) : undefined,
        body: table(
          texts.title,
          [
            { heading: texts.municipality, of: ({ municipality }) => html`<code>${municipality}</code>` },
            { heading: texts.what, of: ({ what }) => html`<code>${what}</code>` },
            { heading: texts.count, of: (each) => number(each.count), isNumber: true },
            { heading: texts.attempts, of: ({ attempts }) => number(attempts), isNumber: true },
            { heading: texts.fault, of: ({ fault }) => (fault === null ? '–' : html`<code>${fault}</code>`) },
            { heading: texts.oldest, of: ({ oldestSeconds }) => duration(oldestSeconds), isNumber: true },
          ],
          unsent,
          texts.none,
        ),
      };
    },
  });
}

/** What the senders of documents from Fordelingskomponenten have not been told. */
export const RECEIPTS = defineUnsent(
  'receipts',
  { table: 'business_receipts', what: 'code', statuses: ['waiting', 'sending'] },
  {
    da: {
      title: 'Forretningskvitteringer',
      what: 'Kvittering',
      none: 'Alle kvitteringer er sendt.',
      some: {
        one: '1 kvittering er ikke sendt',
        more: (count: string) => `${count} kvitteringer er ikke sendt`,
      },
    },
    en: {
      title: 'Business receipts',
      what: 'Receipt',
      none: 'All receipts are sent.',
      some: {
        one: '1 receipt is not sent',
        more: (count: string) => `${count} receipts are not sent`,
      },
    },
  },
);

/** Rejected messages that are to be sent on to other authorities. */
export const SENDING_ON = defineUnsent(
  'sending-on',
  { table: 'onward_distributions', what: 'recipient', statuses: ['waiting', 'uploaded'] },
  {
    da: {
      title: 'Videresendelse',
      what: 'Modtager',
      none: 'Alle breve, der skal sendes videre, er sendt.',
      some: {
        one: '1 brev er ikke sendt videre',
        more: (count: string) => `${count} breve er ikke sendt videre`,
      },
    },
    en: {
      title: 'Sending on',
      what: 'Recipient',
      none: 'All messages that are to be sent on are sent.',
      some: {
        one: '1 message is not sent on',
        more: (count: string) => `${count} messages are not sent on`,
      },
    },
  },
);
