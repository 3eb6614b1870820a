import { currentTime } from '@indbakke/shared/clock';
import { MINUTE } from '@indbakke/shared/config';
import type { BlobStore } from '@indbakke/shared/content';
import { danishDayOf, plusDays } from '@indbakke/shared/danish-time';
import { databaseId, databaseOfLedger, isRestored, readHeads } from './database-id.js';
import { replaceLedgerDifferences } from './differences.js';
import { append, catchUp, type LedgerParts } from './files.js';
import type { Unnumbered } from './lines.js';
import { countFates, firstReceipt, readReceived } from './received.js';

// A message appears up to 30 seconds after its time of receipt, and clocks differ.
const SETTLED_AFTER = 10 * MINUTE;

/**
 * Writes the lines of all days that are over and have none, oldest first, a file a day. The caller is alone.
 *
 * @returns how many days there were
 */
export async function makeDueDays(
  parts: LedgerParts,
  folder: BlobStore,
  now: Date,
  mayGoOn: () => boolean = () => true,
): Promise<number> {
  await catchUp(parts, folder);
  await replaceLedgerDifferences(parts, 'restored', (await isRestored(parts)) ? [await databaseId(parts)] : []);
  const yesterday = plusDays(danishDayOf(new Date(now.getTime() - SETTLED_AFTER)), -1);
  const next = await nextDays(parts, yesterday);
  let made = 0;
  for (
    let day = [...next.values()].reduce((first, each) => (each < first ? each : first), yesterday);
    day <= yesterday && mayGoOn();
    day = plusDays(day, 1)
  ) {
    const due = [...next].filter(([, from]) => from <= day).map(([municipality]) => municipality);
    if (due.length === 0) continue;
    await makeDay(parts, folder, day, due);
    made += 1;
  }
  return made;
}

/** By municipality the first day without a line. Training municipalities are counted nowhere. */
async function nextDays(parts: LedgerParts, yesterday: string): Promise<Map<string, string>> {
  const known = await parts.store.sweep<{ municipality: string; last: string | null }>(
    `SELECT m.cvr AS municipality, max(d.day)::text AS last FROM municipalities m LEFT JOIN ledger_days d ON d.municipality = m.cvr
     WHERE NOT m.is_training GROUP BY m.cvr ORDER BY m.cvr`,
  );
  const next = new Map<string, string>();
  for (const { municipality, last } of known) {
    if (last !== null) next.set(municipality, plusDays(last, 1));
    else {
      const first = await firstReceipt(parts, municipality);
      next.set(municipality, first ? danishDayOf(first) : yesterday);
    }
  }
  return next;
}

async function makeDay(
  parts: LedgerParts,
  folder: BlobStore,
  day: string,
  municipalities: readonly string[],
): Promise<void> {
  const at = currentTime().toISOString();
  const heads = await readHeads(parts);
  const lines: Unnumbered[] = [];
  if ((await databaseOfLedger(parts)) === undefined)
    lines.push({ is: 'database', at, database: await databaseId(parts), heads: Object.fromEntries(heads) });
  for (const municipality of municipalities) {
    const received = await readReceived(parts, municipality, day);
    lines.push({
      is: 'day',
      at,
      municipality,
      day,
      received: received.length,
      fates: countFates(received),
      eventPosition: heads.get(municipality) ?? 0,
      messages: received.map(({ id, externalId }) => [id, externalId]),
    });
  }
  await append(parts, folder, lines);
}
