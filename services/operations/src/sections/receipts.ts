import { HOUR, SECOND } from '@indbakke/shared/config';
import { html } from '@indbakke/shared/html';
import type { ReceiptCode } from '@indbakke/shared/lifecycle';
import type { Store } from '@indbakke/shared/store';
import { table } from '../html/table.js';
import { inBoth } from '../pages/language.js';
import { defineSection } from './section.js';

/** Business receipts of one municipality that are not sent, all of which tell the same and failed the same way. */
export interface UnsentReceipts {
  readonly municipality: string;
  readonly code: ReceiptCode;
  readonly count: number;
  /** The most that one of them has had. */
  readonly attempts: number;
  /** Of the last attempt, as a code; null: none has been made, or it was interrupted. */
  readonly fault: string | null;
  readonly oldestSeconds: number;
}

export const readUnsentReceipts = ({ sweep }: Store): Promise<UnsentReceipts[]> =>
  sweep<UnsentReceipts & Record<string, unknown>>(
    `SELECT municipality, code, count(*)::int AS count, max(attempts)::int AS attempts, fault,
       extract(epoch FROM now() - min(at))::float8 AS "oldestSeconds"
     FROM business_receipts WHERE status IN ('waiting', 'sending')
     GROUP BY municipality, code, fault ORDER BY min(at) LIMIT 200`,
  );

/** As the alert ReceiptsNotSent has it. */
const LATE_SECONDS = HOUR / SECOND;

/** What the senders of documents from Fordelingskomponenten have not been told. */
export const RECEIPTS = defineSection({
  name: 'receipts',
  texts: inBoth({
    da: {
      title: 'Forretningskvitteringer',
      municipality: 'Kommune',
      code: 'Kvittering',
      count: 'Antal',
      attempts: 'Forsøg',
      fault: 'Seneste fejl',
      oldest: 'Ældste har ventet',
      none: 'Alle kvitteringer er sendt.',
      some: {
        one: '1 kvittering er ikke sendt',
        more: (count: string) => `${count} kvitteringer er ikke sendt`,
      },
    },
    en: {
      title: 'Business receipts',
      municipality: 'Municipality',
      code: 'Receipt',
      count: 'Count',
      attempts: 'Attempts',
      fault: 'Last fault',
      oldest: 'Oldest has waited',
      none: 'All receipts are sent.',
      some: {
        one: '1 receipt is not sent',
        more: (count: string) => `${count} receipts are not sent`,
      },
    },
  }),
  read: ({ store }) => readUnsentReceipts(store),
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
          { heading: texts.code, of: ({ code }) => html`<code>${code}</code>` },
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
