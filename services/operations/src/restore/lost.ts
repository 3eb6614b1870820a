import type { Parts } from '@indbakke/shared/service';
import { Prisma } from '@indbakke/shared/store';
import type { DayLine, Line } from '../ledger/lines.js';

const { sql } = Prisma;

/** A message that the ledger counted, and that is not here, under no id. */
export interface Lost {
  readonly municipality: string;
  readonly day: string;
  readonly id: string;
  readonly externalId: string;
}

const BATCH = 2_000;

/** What was counted and is not here, in the order of the ledger; a line without its municipality counts whole. */
export async function* findLost({ store }: Pick<Parts, 'store'>, lines: readonly Line[]): AsyncGenerator<Lost> {
  const days = lines.filter((line): line is DayLine => line.is === 'day');
  for (const { municipality, day, messages } of days) {
    for (let at = 0; at < messages.length; at += BATCH) {
      const batch = messages.slice(at, at + BATCH);
      const rows = await store.query<{ id: string; externalId: string }>(
        municipality,
        sql`
          SELECT id, external_id AS "externalId" FROM messages
          WHERE municipality = ${municipality} AND (id = ANY (${batch.map(([id]) => id)}::uuid[])
            OR channel IN ('sf1606', 'sf2900') AND external_id = ANY (${batch.map(([, externalId]) => externalId)}::text[]))`,
        'fresh',
      );
      const here = new Set(rows.flatMap((row) => [row.id, row.externalId]));
      for (const [id, externalId] of batch)
        if (!here.has(id) && !here.has(externalId)) yield { municipality, day, id, externalId };
    }
  }
}
