import { html } from '../html/html.js';
import { table } from '../html/table.js';
import { inBoth } from '../pages/language.js';
import { defineSection } from './section.js';

interface QueueFigures {
  readonly name: string;
  readonly waiting: number;
  readonly active: number;
  readonly delayed: number;
  readonly failed: number;
  readonly oldestSeconds: number | undefined;
}

/** What waits in each queue, and for how long. */
export const QUEUES = defineSection({
  name: 'queues',
  texts: inBoth({
    da: {
      title: 'Køer',
      queue: 'Kø',
      waiting: 'Venter',
      active: 'I gang',
      delayed: 'Udsat',
      failed: 'Fejlet',
      oldest: 'Ældste har ventet',
      failedJobs: (count: string) => `${count} job er fejlet`,
    },
    en: {
      title: 'Queues',
      queue: 'Queue',
      waiting: 'Waiting',
      active: 'Active',
      delayed: 'Delayed',
      failed: 'Failed',
      oldest: 'Oldest has waited',
      failedJobs: (count: string) => `${count} jobs failed`,
    },
  }),
  read: ({ queues }, now): Promise<QueueFigures[]> =>
    Promise.all(
      queues.all().map(async (queue) => {
        const counts = await queue.getJobCounts('waiting', 'active', 'delayed', 'failed');
        const [oldest] = await queue.getJobs(['waiting'], 0, 0, true);
        const of = (state: string) => counts[state] ?? 0;
        return {
          name: queue.name,
          waiting: of('waiting'),
          active: of('active'),
          delayed: of('delayed'),
          failed: of('failed'),
          oldestSeconds: oldest && (now.getTime() - oldest.timestamp) / 1_000,
        };
      }),
    ),
  view(figures, texts, { number, duration }) {
    const failed = figures.reduce((sum, each) => sum + each.failed, 0);
    return {
      title: texts.title,
      concern: failed > 0 ? texts.failedJobs(number(failed)) : undefined,
      body: table(
        texts.title,
        [
          { heading: texts.queue, of: ({ name }) => html`<code>${name}</code>` },
          { heading: texts.waiting, of: ({ waiting }) => number(waiting), isNumber: true },
          { heading: texts.active, of: ({ active }) => number(active), isNumber: true },
          { heading: texts.delayed, of: ({ delayed }) => number(delayed), isNumber: true },
          { heading: texts.failed, of: (each) => number(each.failed), isNumber: true },
          {
            heading: texts.oldest,
            of: ({ oldestSeconds }) => (oldestSeconds === undefined ? '–' : duration(oldestSeconds)),
            isNumber: true,
          },
        ],
        figures,
      ),
    };
  },
});
