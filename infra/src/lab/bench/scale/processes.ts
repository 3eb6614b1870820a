import type { Child } from '../child.js';
import type { Place } from '../place.js';

/** Few for each, as there are up to twelve processes on one database. */
const ENV = { DATABASE_CONNECTIONS: '6' };

/** The services that a letter goes through. */
export const PARTS = ['receiver', 'journaler', 'archiver'] as const;
export type Part = (typeof PARTS)[number];

/** Processes of each service, on one database. */
export type Processes = Readonly<Record<Part, readonly Child[]>>;

/** @param queueUrl redis://… for the queues; on PostgreSQL when absent */
export async function startProcesses(place: Place, each: number, queueUrl?: string): Promise<Processes> {
  const env = { ...ENV, ...(queueUrl !== undefined && { QUEUE_URL: queueUrl }) };
  const start = (part: Part) => Promise.all(Array.from({ length: each }, () => place.start(`ours/${part}`, { env })));
  return { receiver: await start('receiver'), journaler: await start('journaler'), archiver: await start('archiver') };
}

export async function stopProcesses(processes: Processes): Promise<void> {
  await Promise.all(PARTS.flatMap((part) => processes[part].map((child) => child.stop())));
}

/** Processor time so far of all processes of a service, in ms. */
export function cpuOf(processes: Processes, part: Part): number {
  return processes[part].reduce((sum, child) => sum + child.cpuMs(), 0);
}
