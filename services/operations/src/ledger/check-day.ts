import { announce } from '@indbakke/shared/crash-points';
import type { Parts } from '@indbakke/shared/service';
import { Prisma } from '@indbakke/shared/store';
import { type Difference, forgetDifferences, type Kind, recordDifferences } from './differences.js';
import type { LineReader } from './line-reader.js';
import type { DayLine } from './lines.js';
import type { Pace } from './pace.js';
import { checkContent } from './read-content.js';
import { type Received, readReceived, readUnstored } from './received.js';

const { sql } = Prisma;

export type CheckParts = Pick<Parts, 'store' | 'keys' | 'blobs' | 'log'>;

/** A day of a municipality, and how far its check has come. */
export interface DueDay {
  readonly municipality: string;
  readonly day: string;
  readonly file: string;
  readonly checkBeganAt: Date | null;
  readonly checkAfter: string | null;
}

export const DUE_DAY = `municipality, day::text, file, check_began_at AS "checkBeganAt", check_after AS "checkAfter"`;

export interface Checking {
  readonly pace: Pace;
  /** Whether it also reads the content. */
  readonly readsContent: boolean;
  readonly mayGoOn: () => boolean;
}

// What is read again when the process dies in between.
const NOTED_EVERY = 20;

/**
 * Compares a day with its line: that each message that was counted is here, at least as a tombstone; that no other one is of that day;
 * that each has the rows it must have; and that its files are what was received. It goes on where it stopped, also in another process.
 *
 * @returns whether it came to its end
 */
export async function checkDay(
  parts: CheckParts,
  reader: LineReader,
  due: DueDay,
  { pace, readsContent, mayGoOn }: Checking,
): Promise<boolean> {
  const { municipality, day } = due;
  const beganAt = due.checkBeganAt ?? (readsContent ? await note(parts, due, 'check_began_at = now()') : null);
  const found = (kind: Kind, subject: string, externalId?: string): Difference => ({
    municipality,
    kind,
    subject,
    day,
    externalId,
  });
  const received = await readReceived(parts, municipality, day);
  const line = await reader.lineOf(due);
  await recordDifferences(parts, [
    ...(line ? await differencesFrom(parts, line, received, found) : [found('line-forged', due.file)]),
    ...received.filter(({ isComplete }) => !isComplete).map(({ id }) => found('incomplete', id)),
  ]);
  if (!readsContent) return true;
  const unread = received.filter(({ id, hasContent }) => hasContent && id > (due.checkAfter ?? ''));
  for (const [at, { id }] of unread.entries()) {
    if (!mayGoOn()) return false;
    const fault = await checkContent(parts, municipality, id, pace);
    if (fault) await recordDifferences(parts, [found(fault, id)]);
    if ((at + 1) % NOTED_EVERY !== 0) continue;
    await note(parts, due, 'check_after = $3::uuid', id);
    announce('ledger-content-read');
  }
  if (beganAt) await forgetDifferences(parts, due, beganAt);
  await note(parts, due, 'checked_at = now(), check_began_at = NULL, check_after = NULL');
  return true;
}

async function note({ store }: CheckParts, { municipality, day }: DueDay, set: string, ...values: unknown[]) {
  const [row] = await store.sweep<{ at: Date | null }>(
    `UPDATE ledger_days SET ${set} WHERE municipality = $1 AND day = $2::date RETURNING check_began_at AS at`,
    [municipality, day, ...values],
  );
  return row?.at;
}

/** What the line has and the database has not, or otherwise. */
async function differencesFrom(
  parts: CheckParts,
  { municipality, day, messages }: DayLine,
  received: readonly Received[],
  found: (kind: Kind, subject: string, externalId?: string) => Difference,
): Promise<Difference[]> {
  const counted = new Map(messages);
  const here = new Map(received.map(({ id, externalId }) => [id, externalId]));
  const absent = messages.filter(([id]) => !here.has(id));
  const elsewhere = await findElsewhere(parts, municipality, absent);
  const unstored = await readUnstored(parts, municipality, day);
  return [
    ...received.flatMap(({ id, externalId }) => {
      const wasCounted = counted.get(id);
      if (wasCounted === undefined) return [found('not-counted', id, externalId)];
      return wasCounted === externalId ? [] : [found('altered', id, wasCounted)];
    }),
    ...absent.flatMap(([id, externalId]) => {
      if (elsewhere.ids.has(id)) return [found('altered', id, externalId)];
      // After a restore it may have come again, under another id.
      return elsewhere.externalIds.has(externalId) ? [] : [found('gone', id, externalId)];
    }),
    ...unstored.filter((id) => !counted.has(id)).map((id) => found('gone', id)),
  ];
}

async function findElsewhere(
  { store }: CheckParts,
  municipality: string,
  absent: readonly (readonly [string, string])[],
): Promise<{ ids: Set<string>; externalIds: Set<string> }> {
  if (absent.length === 0) return { ids: new Set(), externalIds: new Set() };
  const rows = await store.query<{ id: string; externalId: string }>(
    municipality,
    sql`
      SELECT id, external_id AS "externalId" FROM messages
      WHERE municipality = ${municipality} AND id = ANY (${absent.map(([id]) => id)}::uuid[])
      UNION ALL
      SELECT id, external_id FROM messages WHERE municipality = ${municipality} AND channel IN ('sf1606', 'sf2900')
        AND external_id = ANY (${absent.map(([, externalId]) => externalId)}::text[])`,
    'fresh',
  );
  return { ids: new Set(rows.map(({ id }) => id)), externalIds: new Set(rows.map(({ externalId }) => externalId)) };
}
