import { list } from '../html/list.js';
import { inBoth } from '../pages/language.js';
import { defineSection } from './section.js';

type Faults = Readonly<Record<'missing' | 'misplaced' | 'overdue', boolean>>;

/** The months of the audit log, and what is wrong with them. */
export const AUDIT_MONTHS = defineSection({
  name: 'audit-months',
  texts: inBoth({
    da: {
      title: 'Revisionsloggens måneder',
      first: 'Ældste måned',
      last: 'Nyeste måned',
      count: 'Måneder',
      missing: 'Den næste måned mangler',
      misplaced: 'Rækker er ikke i nogen måned',
      overdue: 'En gammel måned kunne ikke fjernes',
    },
    en: {
      title: 'Months of the audit log',
      first: 'Oldest month',
      last: 'Newest month',
      count: 'Months',
      missing: 'The next month is missing',
      misplaced: 'Rows are in no month',
      overdue: 'An old month could not be dropped',
    },
  }),
  async read({ store, config }) {
    const [found] = await store.sweep<Faults & { months: string[] }>(
      `SELECT f.*, ARRAY(
         SELECT replace(ltrim(c.relname, 'm'), '_', '-') FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
         WHERE i.inhparent = 'public.audit_events'::regclass AND c.relname ~ '^m\\d{4}_\\d\\d$' ORDER BY 1) AS months
       FROM audit_month_faults($1) f`,
      [config.AUDIT_KEEP_MONTHS],
    );
    return found;
  },
  view(found, texts, { number }) {
    const { months = [] } = found ?? {};
    const wrong = (['missing', 'misplaced', 'overdue'] as const).filter((fault) => found?.[fault]);
    return {
      title: texts.title,
      concern: wrong.length > 0 ? wrong.map((fault) => texts[fault]).join('. ') : undefined,
      body: list([
        [texts.first, months[0] ?? '–'],
        [texts.last, months.at(-1) ?? '–'],
        [texts.count, number(months.length)],
      ]),
    };
  },
});
