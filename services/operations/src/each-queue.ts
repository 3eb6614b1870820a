import type { Parts } from '@indbakke/shared/service';
import type { Queue } from 'bullmq';

/** What is asked of every queue, one after the other: their few connections are for the jobs. */
export async function askEachQueue<T>(
  { queues }: Pick<Parts, 'queues'>,
  ask: (queue: Queue) => Promise<T>,
): Promise<T[]> {
  const answers: T[] = [];
  for (const queue of queues.all()) answers.push(await ask(queue));
  return answers;
}
