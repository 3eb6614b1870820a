import { html } from '@indbakke/shared/html';
import { askEachQueue } from '../each-queue.js';
import { table } from '../html/table.js';
import { inBoth } from '../pages/language.js';
import { defineSection } from './section.js';

/** Jobs that were given up, by kind. */
export const FAILED_JOBS = defineSection({
  name: 'failed-jobs',
  texts: inBoth({
    da: {
      title: 'Fejlede job',
      none: 'Ingen job er fejlet.',
      queue: 'Kø',
      failed: 'Fejlet',
      newest: 'Senest',
      code: 'Seneste fejl',
      some: { one: '1 job er fejlet', more: (count: string) => `${count} job er fejlet` },
    },
    en: {
      title: 'Failed jobs',
      none: 'No job failed.',
      queue: 'Queue',
      failed: 'Failed',
      newest: 'Latest',
      code: 'Latest error',
      some: { one: '1 job failed', more: (count: string) => `${count} jobs failed` },
    },
  }),
  async read(parts) {
    const found = await askEachQueue(parts, async (queue) => {
      const { failed = 0 } = await queue.getJobCounts('failed');
      const [newest] = failed > 0 ? await queue.getJobs(['failed'], 0, 0) : [];
      return { name: queue.name, failed, at: newest?.finishedOn, code: newest?.failedReason ?? '' };
    });
    return found.filter(({ failed }) => failed > 0);
  },
  view(found, texts, { number, time, counted }) {
    const all = found.reduce((sum, { failed }) => sum + failed, 0);
    return {
      title: texts.title,
      concern: all > 0 ? counted(all, texts.some) : undefined,
      body: table(
        texts.title,
        [
          { heading: texts.queue, of: ({ name }) => html`<code>${name}</code>` },
          { heading: texts.failed, of: ({ failed }) => number(failed), isNumber: true },
          { heading: texts.newest, of: ({ at }) => (at === undefined ? '–' : time(new Date(at))) },
          { heading: texts.code, of: ({ code }) => html`<code>${code}</code>` },
        ],
        found,
        texts.none,
      ),
    };
  },
});
