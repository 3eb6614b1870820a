import { setTimeout as pause } from 'node:timers/promises';
import type pg from 'pg';
import { Connection, postOnce } from '../client.js';
import { alternate, median, rounded } from '../measure.js';
import { REST_PATH, replyCopies } from '../memos.js';
import type { Place } from '../place.js';

const CLIENTS = 64;
const POLL_MS = 20;

/** Processor time of a message in ms: median of the rounds. */
export interface Cost {
  readonly receiver: number;
  readonly postgres: number;
  readonly numberer: number;
}

const WITHOUT = 'intake';
const WITH = 'intake and numbering';

/**
 * What numbering adds to the processor time of intake: rounds with and without it. In a round with it everything is numbered
 * before its end; without it afterwards.
 */
export async function costOfNumbering(
  place: Place,
  client: pg.Client,
  { seconds, rounds }: { seconds: number; rounds: number },
): Promise<{ without: Cost; with: Cost }> {
  const messages = replyCopies();
  const receiver = await place.start('ours/receiver');
  const numberer = await place.start('feed/numberer');
  await postOnce(receiver.url, REST_PATH, messages.next());
  const costs = new Map<string, Cost[]>();

  const untilNumbered = async () => {
    const left = `SELECT FROM audit_events WHERE position IS NULL UNION ALL SELECT FROM events WHERE position IS NULL LIMIT 1`;
    while ((await client.query(left)).rowCount !== 0) await pause(POLL_MS);
  };
  const round = async (name: string) => {
    await untilNumbered();
    if (name === WITHOUT) process.kill(numberer.pid, 'SIGSTOP');
    const before = [receiver.cpuMs(), place.postgresCpuMs(), numberer.cpuMs()] as const;
    const count = await offer(receiver.url, messages.next, seconds);
    if (name === WITH) await untilNumbered();
    const cost = {
      receiver: (receiver.cpuMs() - before[0]) / count,
      postgres: (place.postgresCpuMs() - before[1]) / count,
      numberer: (numberer.cpuMs() - before[2]) / count,
    };
    costs.set(name, [...(costs.get(name) ?? []), cost]);
    if (name === WITHOUT) process.kill(numberer.pid, 'SIGCONT');
    return cost.postgres;
  };
  await alternate(
    [WITHOUT, WITH].map((name) => ({ name, measure: () => round(name) })),
    rounds,
  );
  await receiver.stop();
  await numberer.stop();
  // The first round of each warms up.
  const of = (name: string): Cost => {
    const counted = (costs.get(name) ?? []).slice(1);
    const medianOf = (part: keyof Cost) => rounded(median(counted.map((cost) => cost[part])), 3);
    return { receiver: medianOf('receiver'), postgres: medianOf('postgres'), numberer: medianOf('numberer') };
  };
  return { without: of(WITHOUT), with: of(WITH) };
}

/** @returns how many were received */
async function offer(url: string, next: () => readonly Buffer[], seconds: number): Promise<number> {
  const end = performance.now() + seconds * 1_000;
  let count = 0;
  const client = async () => {
    const connection = await Connection.open(url);
    while (performance.now() < end) {
      await connection.post(REST_PATH, next());
      count += 1;
    }
    connection.close();
  };
  await Promise.all(Array.from({ length: CLIENTS }, client));
  return count;
}
