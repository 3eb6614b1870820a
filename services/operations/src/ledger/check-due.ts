import type { BlobStore } from '@indbakke/shared/content';
import { type CheckParts, checkDay, DUE_DAY, type DueDay } from './check-day.js';
import { LineReader } from './line-reader.js';
import { Pace } from './pace.js';

// Two nights less than the 30 days within which all content is to be read.
const CHECK_AGAIN_AFTER_DAYS = 28;

/**
 * Checks the days that were not checked for four weeks, first the one that is begun, then those that never were. The caller is alone.
 *
 * @returns how many came to their end
 */
export async function checkDueDays(
  parts: CheckParts,
  folder: BlobStore,
  bytesPerSecond: number,
  mayGoOn: () => boolean = () => true,
): Promise<number> {
  const reader = new LineReader(parts, folder);
  const pace = new Pace(bytesPerSecond);
  for (let done = 0; ; done += 1) {
    if (!mayGoOn()) return done;
    const [due] = await parts.store.sweep<DueDay & object>(
      `SELECT ${DUE_DAY} FROM ledger_days
       WHERE checked_at IS NULL OR checked_at < now() - make_interval(days => $1) OR check_began_at IS NOT NULL
       ORDER BY check_began_at NULLS LAST, checked_at NULLS FIRST, day DESC, municipality LIMIT 1`,
      [CHECK_AGAIN_AFTER_DAYS],
    );
    if (!due) return done;
    await parts.blobs.check(); // else all content would be missing, while a mount is away
    if (!(await checkDay(parts, reader, due, { pace, readsContent: true, mayGoOn }))) return done;
  }
}
