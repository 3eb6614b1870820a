import { html } from '@indbakke/shared/html';
import type { FetchStatus } from '@indbakke/shared/lifecycle';
import type { Store } from '@indbakke/shared/store';
import { table } from '../html/table.js';
import { inBoth } from '../pages/language.js';
import { defineSection } from './section.js';

export const FETCHES_IN_WORDS = inBoth<Readonly<Record<Exclude<FetchStatus, 'done'>, string>>>({
  da: { waiting: 'på vej', stored: 'hentet, men ikke fjernet hos Fordelingskomponenten', 'given-up': 'kom ikke' },
  en: { waiting: 'on its way', stored: 'fetched, but not removed at the far end', 'given-up': 'never came' },
});

/** A file of a document that is not here, or still at the far end. */
export interface FileOnItsWay {
  readonly id: string;
  readonly messageId: string;
  readonly municipality: string;
  readonly status: Exclude<FetchStatus, 'done'>;
  readonly since: Date;
  readonly attempts: number;
  readonly fault: string | null;
}

const SHOWN = 100;

/** The oldest first, without those of documents that somebody has rejected or journalized without the file. */
export const readFilesOnTheirWay = ({ sweep }: Store): Promise<FileOnItsWay[]> =>
  sweep<FileOnItsWay & Record<string, unknown>>(
    `SELECT t.id, t.message_id AS "messageId", t.municipality, t.status, t.since, t.attempts, t.fault
     FROM file_fetches t JOIN messages m ON m.id = t.message_id JOIN municipalities c ON c.cvr = t.municipality
     WHERE t.status <> 'done' AND (t.status <> 'given-up' OR m.status IN ('pending', 'held')) AND NOT c.is_training
     ORDER BY t.since, t.id LIMIT $1`,
    [SHOWN],
  );

/** How many there are of each status, also 0, and of these for over an hour: one that is fetched at once is nobody’s concern. */
export const readFileFetches = ({ sweep }: Store) =>
  sweep<{ status: Exclude<FetchStatus, 'done'>; count: number; late: number; oldestSeconds: number }>(
    `WITH open AS (
       SELECT t.status, t.since
       FROM file_fetches t JOIN messages m ON m.id = t.message_id JOIN municipalities c ON c.cvr = t.municipality
       WHERE t.status <> 'done' AND NOT c.is_training AND (t.status <> 'given-up' OR m.status IN ('pending', 'held'))
     )
     SELECT s.status, count(open.since)::int AS count, count(*) FILTER (WHERE open.since < now() - interval '1 hour')::int AS late, coalesce(extract(epoch FROM now() - min(open.since)), 0)::float8 AS "oldestSeconds"
     FROM unnest(ARRAY['waiting', 'stored', 'given-up']) AS s (status) LEFT JOIN open USING (status)
     GROUP BY s.status`,
  );

/** Files of documents from Fordelingskomponenten that are not here. */
export const FILES = defineSection({
  name: 'files',
  texts: inBoth({
    da: {
      title: 'Filer fra Fordelingskomponenten',
      statuses: FETCHES_IN_WORDS.da,
      none: 'Alle filer er hentet.',
      message: 'Brev',
      municipality: 'Kommune',
      status: 'Tilstand',
      since: 'Ventet siden',
      fault: 'Seneste fejl',
      late: { one: '1 fil er ikke hentet', more: (count: string) => `${count} filer er ikke hentet` },
    },
    en: {
      title: 'Files of Fordelingskomponenten',
      statuses: FETCHES_IN_WORDS.en,
      none: 'All files are fetched.',
      message: 'Message',
      municipality: 'Municipality',
      status: 'State',
      since: 'Waiting since',
      fault: 'Last fault',
      late: { one: '1 file is not fetched', more: (count: string) => `${count} files are not fetched` },
    },
  }),
  read: async ({ store }) => ({ files: await readFilesOnTheirWay(store), counts: await readFileFetches(store) }),
  view({ files, counts }, texts, { time, counted }) {
    const late = counts.reduce((sum, { status, count, late }) => sum + (status === 'given-up' ? count : late), 0);
    return {
      title: texts.title,
      concern: late > 0 ? counted(late, texts.late) : undefined,
      body: table(
        texts.title,
        [
          { heading: texts.message, of: ({ messageId }) => html`<code>${messageId}</code>` },
          { heading: texts.municipality, of: ({ municipality }) => html`<code>${municipality}</code>` },
          { heading: texts.status, of: ({ status }) => texts.statuses[status] },
          { heading: texts.since, of: ({ since }) => time(since) },
          { heading: texts.fault, of: ({ fault }) => (fault === null ? '–' : html`<code>${fault}</code>`) },
        ],
        files,
        texts.none,
      ),
    };
  },
});
