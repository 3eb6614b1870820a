import { setTimeout as delay } from 'node:timers/promises';
import type pg from 'pg';
import { InboxClient } from '../../../testkit/inbox-client.js';
import type { Child } from '../child.js';
import { postOnce } from '../client.js';
import { type Copies, REST_PATH } from '../memos.js';
import type { Place } from '../place.js';
import { cpuOf, PARTS, type Part, type Processes } from './processes.js';

/** What is done for a letter besides its receipt and its suggestion. */
export const PER_LETTER = { lists: 4, reads: 1, files: 1, journalizations: 1, zips: 0.1 } as const;

const AT_ONCE = 4;
const POLL_MS = 20;
const LASTS_MS = 600_000;

/** Processor time for a letter, in ms: of a service, of PostgreSQL, and of Redis if the queues are there. */
export type CpuOfLetter = Readonly<Record<Part | 'PostgreSQL' | 'Redis', number>>;

export interface Town {
  readonly place: Place;
  readonly processes: Processes;
  readonly letters: Copies;
  readonly token: string;
  readonly redisCpuMs: () => number;
}

/** Plays the lives of letters, a few at once. */
export async function cpuOfLives(town: Town, lives: number): Promise<CpuOfLetter> {
  const cpu = () => ({
    ...Object.fromEntries(PARTS.map((part) => [part, cpuOf(town.processes, part)])),
    PostgreSQL: town.place.postgresCpuMs(),
    Redis: town.redisCpuMs(),
  });
  const before = cpu() as CpuOfLetter;
  let begun = 0;
  const one = async () => {
    const client = await town.place.connect();
    while (begun < lives) {
      begun += 1;
      await liveOf(town, client, begun);
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, one));
  const after = cpu() as CpuOfLetter;
  const each = (part: keyof CpuOfLetter) => (after[part] - before[part]) / lives;
  return Object.fromEntries(Object.keys(before).map((part) => [part, each(part as Part)])) as CpuOfLetter;
}

/** @param n counts the lives */
async function liveOf({ processes, letters, token }: Town, client: pg.Client, n: number): Promise<void> {
  const [receiver, journaler, archiver] = PARTS.map((part) => processes[part][n % processes[part].length] as Child);
  if (!receiver || !journaler || !archiver) return;
  const { body } = await postOnce(receiver.url, REST_PATH, letters.next());
  const id = await suggested(client, (JSON.parse(body) as { messageUUID: string }).messageUUID);
  const signal = AbortSignal.timeout(LASTS_MS);
  const inbox = new InboxClient(journaler.url, token, signal, fetch);
  for (let list = 0; list < PER_LETTER.lists; list += 1) await inbox.list({ status: 'pending', limit: 50 });
  const seen = await inbox.read(id);
  for (const file of seen.documents.flatMap(({ files }) => files)) await (await inbox.file(id, file.id)).arrayBuffer();
  if (n % Math.round(1 / PER_LETTER.zips) === 0) await new InboxClient(archiver.url, token, signal, fetch).zip(id);
  await inbox.journalize(seen, { caseIds: ['bench'] });
}

async function suggested(client: pg.Client, externalId: string): Promise<string> {
  for (;;) {
    const { rows } = await client.query<{ id: string }>(
      'SELECT id FROM messages WHERE external_id = $1 AND suggestion_run_at IS NOT NULL',
      [externalId],
    );
    if (rows[0]) return rows[0].id;
    await delay(POLL_MS);
  }
}
