import { html } from '@indbakke/shared/html';
import type { Store } from '@indbakke/shared/store';
import { table } from '../html/table.js';
import { inBoth } from '../pages/language.js';
import { defineSection } from './section.js';

/** Messages of one municipality whose files are not scanned yet, and failed the same way. */
interface Unscanned {
  readonly municipality: string;
  readonly count: number;
  /** Of the last attempt, as a code; null: none has been made, or it was interrupted. */
  readonly fault: string | null;
  readonly oldestSeconds: number;
}

const readUnscanned = ({ sweep }: Store): Promise<Unscanned[]> =>
  sweep<Unscanned & Record<string, unknown>>(
    `SELECT municipality, count(*)::int AS count, fault, extract(epoch FROM now() - min(since))::float8 AS "oldestSeconds"
     FROM message_scans GROUP BY municipality, fault ORDER BY min(since) LIMIT 200`,
  );

/** As the alert FilesNotScanned has it. */
const LATE_SECONDS = 600;

/** Files that are still to be scanned for malware. */
export const SCANS = defineSection({
  name: 'scans',
  texts: inBoth({
    da: {
      title: 'Virusundersøgelse',
      municipality: 'Kommune',
      count: 'Breve',
      fault: 'Seneste fejl',
      oldest: 'Ældste har ventet',
      off: 'Filer undersøges ikke: CLAMD_URL er ikke sat.',
      none: 'Alle filer er undersøgt.',
      some: {
        one: '1 brev har filer, der ikke er undersøgt for virus',
        more: (count: string) => `${count} breve har filer, der ikke er undersøgt for virus`,
      },
    },
    en: {
      title: 'Scans for malware',
      municipality: 'Municipality',
      count: 'Messages',
      fault: 'Last fault',
      oldest: 'Oldest has waited',
      off: 'Files are not scanned: CLAMD_URL is not set.',
      none: 'All files are scanned.',
      some: {
        one: '1 message has files that are not scanned',
        more: (count: string) => `${count} messages have files that are not scanned`,
      },
    },
  }),
  read: async ({ store, scanning }) => (scanning.isOn ? readUnscanned(store) : undefined),
  view(unscanned, texts, { number, duration, counted }) {
    if (!unscanned) return { title: texts.title, concern: undefined, body: html`<p>${texts.off}</p>` };
    const late = unscanned.filter(({ oldestSeconds }) => oldestSeconds > LATE_SECONDS);
    const count = late.reduce((sum, each) => sum + each.count, 0);
    return {
      title: texts.title,
      concern: count > 0 ? counted(count, texts.some) : undefined,
      body: table(
        texts.title,
        [
          { heading: texts.municipality, of: ({ municipality }) => html`<code>${municipality}</code>` },
          { heading: texts.count, of: (each) => number(each.count), isNumber: true },
          { heading: texts.fault, of: ({ fault }) => (fault === null ? '–' : html`<code>${fault}</code>`) },
          { heading: texts.oldest, of: ({ oldestSeconds }) => duration(oldestSeconds), isNumber: true },
        ],
        unscanned,
        texts.none,
      ),
    };
  },
});
