import { INSTALLATION } from '@indbakke/shared/audit';
import type { Store } from '@indbakke/shared/store';
import { list } from '../html/list.js';
import { inBoth } from '../pages/language.js';
import { defineSection } from './section.js';

export interface ScrubState {
  /** Tables that wait. */
  readonly due: readonly string[];
  readonly isRunning: boolean;
  readonly lastAt: Date | null;
}

/** What waits to be scrubbed; the write-ahead log, which goes with the others, is not counted as a table. */
export async function readScrub({ sweep }: Store): Promise<ScrubState> {
  const [found] = await sweep<ScrubState & Record<string, unknown>>(
    `SELECT ARRAY(SELECT name FROM scrub_due() WHERE name <> 'pg_wal' ORDER BY name) AS due,
       EXISTS (
         SELECT FROM pg_locks
         WHERE locktype = 'advisory' AND granted AND objsubid = 1
           AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
           AND ((classid::bigint << 32) | objid::bigint) = hashtext('scrub')::bigint
       ) AS "isRunning",
       (SELECT max(at) FROM audit_events WHERE municipality = $1 AND action = 'scrubbed') AS "lastAt"`,
    [INSTALLATION],
  );
  return found ?? { due: [], isRunning: false, lastAt: null };
}

/** What deleted rows have left in the database's files. */
export const SCRUB = defineSection({
  name: 'scrub',
  texts: inBoth({
    da: {
      title: 'Rensning',
      due: 'Tabeller, der venter',
      running: 'I gang nu',
      last: 'Sidst renset',
      never: 'aldrig',
      yes: 'ja',
      no: 'nej',
    },
    en: {
      title: 'Scrub',
      due: 'Tables that wait',
      running: 'Running now',
      last: 'Last scrubbed',
      never: 'never',
      yes: 'yes',
      no: 'no',
    },
  }),
  read: ({ store }) => readScrub(store),
  view: ({ due, isRunning, lastAt }, texts, { number, time }) => ({
    title: texts.title,
    concern: undefined, // the night does it
    body: list([
      [texts.due, number(due.length)],
      [texts.running, isRunning ? texts.yes : texts.no],
      [texts.last, lastAt ? time(lastAt) : texts.never],
    ]),
  }),
});
