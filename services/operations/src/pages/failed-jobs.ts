import { recordAudit } from '@indbakke/shared/audit';
import { currentTime } from '@indbakke/shared/clock';
import { Problem } from '@indbakke/shared/errors';
import { html } from '@indbakke/shared/html';
import { QUEUE_NAMES } from '@indbakke/shared/queue';
import { ErrorCode, type Job, type Queue } from 'bullmq';
import { z } from 'zod';
import { askEachQueue } from '../each-queue.js';
import { table } from '../html/table.js';
import type { OperationsParts } from '../sections/section.js';
import { inBoth } from './language.js';
import { defineAction, definePage } from './page.js';

const SHOWN = 50;
const BATCH = 100;
const MOST_AT_ONCE = 5_000; // a few seconds

const texts = inBoth({
  da: {
    title: 'Fejlede job',
    intro:
      'Et job, der er fejlet så ofte, at det er opgivet. Det, det skulle gøre, er ikke tabt: en rutine sætter det i gang igen, når årsagen er væk.',
    none: 'Ingen job er fejlet.',
    job: 'Job',
    code: 'Fejl',
    attempts: 'Forsøg',
    failedAt: 'Fejlet',
    action: 'Handling',
    retry: 'Prøv igen',
    retryAll: { one: 'Prøv det igen', more: (count: string) => `Prøv alle ${count} igen` },
    more: (count: string) => `De nyeste vises; der er ${count} i alt.`,
    askOne: (id: string, queue: string) => `Skal jobbet ${id} i køen ${queue} prøves igen nu?`,
    askAll: (queue: string) =>
      `Skal alle fejlede job i køen ${queue} prøves igen nu? Det er bedst at fjerne årsagen først.`,
    oneDone: (id: string) => `Jobbet ${id} er sat i kø igen.`,
    allDone: (count: string, left: string) => `${count} job er sat i kø igen; ${left} fejlede er tilbage.`,
  },
  en: {
    title: 'Failed jobs',
    intro:
      'A job that failed so often that it was given up. What it had to do is not lost: a sweep starts it again once the cause is gone.',
    none: 'No job failed.',
    job: 'Job',
    code: 'Error',
    attempts: 'Attempts',
    failedAt: 'Failed',
    action: 'Action',
    retry: 'Try again',
    retryAll: { one: 'Try it again', more: (count: string) => `Try all ${count} again` },
    more: (count: string) => `The newest are shown; there are ${count} in all.`,
    askOne: (id: string, queue: string) => `Shall the job ${id} of the queue ${queue} be tried again now?`,
    askAll: (queue: string) =>
      `Shall all failed jobs of the queue ${queue} be tried again now? It is best to remove the cause first.`,
    oneDone: (id: string) => `The job ${id} is in its queue again.`,
    allDone: (count: string, left: string) => `${count} jobs are in their queue again; ${left} failed ones are left.`,
  },
});

const QueueName = z.enum(QUEUE_NAMES);
const JobId = z.string().regex(/^[\w-]{1,100}$/);

/** Failed jobs by kind, and what tries them again. */
export const FAILED_JOBS_PAGE = definePage({
  name: 'failed-jobs',
  texts,
  async show(parts, { texts: own, format, button }) {
    const found = await askEachQueue(parts, async (queue) => ({
      name: queue.name,
      count: (await queue.getJobCounts('failed')).failed ?? 0,
      jobs: await queue.getJobs(['failed'], 0, SHOWN - 1),
    }));
    const failing = found.filter(({ count }) => count > 0);
    if (failing.length === 0) return html`<p>${own.intro}</p><p>${own.none}</p>`;
    const tables = failing.map(({ name, count, jobs }) => {
      const all = format.number(count);
      return html`<section aria-labelledby="queue-${name}"><h2 id="queue-${name}"><code>${name}</code></h2>
<p>${button('retry-all', format.counted(count, own.retryAll), { queue: name }, name)}</p>
${table(
  name,
  [
    { heading: own.job, of: ({ id = '' }: Job) => html`<code>${id}</code>` },
    { heading: own.code, of: ({ failedReason }) => html`<code>${failedReason}</code>` },
    { heading: own.attempts, of: ({ attemptsMade }) => format.number(attemptsMade), isNumber: true },
    { heading: own.failedAt, of: ({ finishedOn }) => (finishedOn ? format.time(new Date(finishedOn)) : '–') },
    { heading: own.action, of: ({ id = '' }) => button('retry', own.retry, { queue: name, job: id }, id) },
  ],
  jobs,
)}
${count > jobs.length && html`<p>${own.more(all)}</p>`}</section>`;
    });
    return html`<p>${own.intro}</p>${tables}`;
  },
  actions: {
    retry: defineAction({
      input: z.object({ queue: QueueName, job: JobId }),
      ask: ({ queue, job }, own: (typeof texts)['da']) => own.askOne(job, queue),
      async act(parts, by, { queue, job: jobId }) {
        const job = await queueOf(parts, queue).getJob(jobId);
        if (!job || (await job.getState()) !== 'failed') throw noSuchJob();
        await recordAudit(parts.store, { by, at: currentTime(), action: 'job-retried', details: { queue, jobId } });
        // Another one may have retried it meanwhile.
        if (!(await retried(job))) throw noSuchJob();
        return jobId;
      },
      answer: (jobId, own) => own.oneDone(jobId),
    }),
    'retry-all': defineAction({
      input: z.object({ queue: QueueName }),
      ask: ({ queue }, own: (typeof texts)['da']) => own.askAll(queue),
      async act(parts, by, { queue: name }) {
        const queue = queueOf(parts, name);
        const { failed = 0 } = await queue.getJobCounts('failed');
        const details = { queue: name, jobs: Math.min(failed, MOST_AT_ONCE) };
        await recordAudit(parts.store, { by, at: currentTime(), action: 'jobs-retried', details });
        return { jobs: await retryAll(queue), left: (await queue.getJobCounts('failed')).failed ?? 0 };
      },
      answer: ({ jobs, left }, own, { number }) => own.allDone(number(jobs), number(left)),
    }),
  },
});

function queueOf({ queues }: OperationsParts, name: string): Queue {
  return queues.all().find((queue) => queue.name === name) as Queue;
}

const noSuchJob = () => new Problem('not-found', 'There is no such failed job.');

/** With all of its attempts anew. @returns false when it is failed no more: another one has retried or removed it */
async function retried(job: Job): Promise<boolean> {
  try {
    await job.retry('failed', { resetAttemptsMade: true, resetAttemptsStarted: true });
    return true;
  } catch (error) {
    const { code } = error as { code?: unknown };
    if (code === ErrorCode.JobNotInState || code === ErrorCode.JobNotExist) return false;
    throw error;
  }
}

/** @returns how many; each is tried once, also when it fails again meanwhile */
async function retryAll(queue: Queue): Promise<number> {
  const done = new Set<string>();
  let count = 0;
  while (done.size < MOST_AT_ONCE) {
    const jobs = (await queue.getJobs(['failed'], 0, BATCH - 1)).filter(({ id = '' }) => !done.has(id));
    if (jobs.length === 0) break;
    for (const job of jobs) {
      done.add(job.id ?? '');
      if (await retried(job)) count += 1;
    }
  }
  return count;
}
