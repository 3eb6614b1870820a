import { html } from '@indbakke/shared/html';
import { askEachQueue } from '../each-queue.js';
import { table } from '../html/table.js';
import { inBoth } from '../pages/language.js';
import { defineSection } from './section.js';

interface QueueFigures {
  readonly name: string;
  readonly waiting: number;
  readonly active: number;
  readonly delayed: number;
  readonly oldestSeconds: number | undefined;
}

// Jobs take seconds: what has waited longer waits for a worker that is not there.
const LONG_SECONDS = 300;

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
      oldest: 'Ældste har ventet',
      slow: (queue: string, time: string) => `${queue} har ventet i ${time}`,
    },
    en: {
      title: 'Queues',
      queue: 'Queue',
      waiting: 'Waiting',
      active: 'Active',
      delayed: 'Delayed',
      oldest: 'Oldest has waited',
      slow: (queue: string, time: string) => `${queue} has waited for ${time}`,
    },
  }),
  read: (parts, now): Promise<QueueFigures[]> =>
    askEachQueue(parts, async (queue) => {
      const counts = await queue.getJobCounts('waiting', 'active', 'delayed');
      const [oldest] = await queue.getJobs(['waiting'], 0, 0, true);
      const of = (state: string) => counts[state] ?? 0;
      return {
        name: queue.name,
        waiting: of('waiting'),
        active: of('active'),
        delayed: of('delayed'),
        oldestSeconds: oldest && (now.getTime() - oldest.timestamp) / 1_000,
      };
    }),
  view(figures, texts, { number, duration }) {
    const [slowest] = figures.toSorted((a, b) => (b.oldestSeconds ?? 0) - (a.oldestSeconds ?? 0));
    const waited = slowest?.oldestSeconds ?? 0;
    return {
      title: texts.title,
      concern: slowest && waited > LONG_SECONDS ? texts.slow(slowest.name, duration(waited)) : undefined,
      body: table(
        texts.title,
        [
          { heading: texts.queue, of: ({ name }) => html`<code>${name}</code>` },
          { heading: texts.waiting, of: ({ waiting }) => number(waiting), isNumber: true },
          { heading: texts.active, of: ({ active }) => number(active), isNumber: true },
          { heading: texts.delayed, of: ({ delayed }) => number(delayed), isNumber: true },
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
