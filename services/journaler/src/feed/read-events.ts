import type { ChangeEvent } from '@indbakke/shared/api';
import { Problem } from '@indbakke/shared/errors';
import { Prisma, type Store } from '@indbakke/shared/store';

const { sql } = Prisma;

/** What follows a position, as it was in one moment. */
export interface EventsAfter {
  /** Without gaps. */
  readonly events: readonly ChangeEvent[];
  /** The newest position there is. */
  readonly head: number;
  /** The oldest one; head + 1 when there is none. */
  readonly oldest: number;
}

type Row = { [Column in keyof Omit<ChangeEvent, 'position' | 'at'>]: ChangeEvent[Column] } & {
  readonly position: string | null;
  readonly at: Date;
  readonly head: string | null;
  readonly oldest: string | null;
};

/** @param limit most events; 0 = only head and oldest */
export async function readEvents(
  store: Store,
  municipality: string,
  after: number,
  limit: number,
): Promise<EventsAfter> {
  const rows = await store.query<Row>(
    municipality,
    sql`
      SELECT h.event_position AS head, h.oldest_event_position AS oldest, e.position, e.id, e.type, e.message_id AS "messageId",
        e.status, e.version, e.at, e.details
      FROM (SELECT) AS always
      LEFT JOIN feed_heads h ON h.municipality = ${municipality}
      LEFT JOIN LATERAL (
        SELECT * FROM events WHERE municipality = ${municipality} AND position > ${after}::bigint
        ORDER BY position LIMIT ${limit}::int
      ) e ON true
      ORDER BY e.position`,
    'kept',
  );
  const [first] = rows;
  return {
    events: rows.flatMap(({ head: _, oldest: __, position, at, ...event }) =>
      position === null ? [] : [{ ...event, position: Number(position), at: at.toISOString() }],
    ),
    head: Number(first?.head ?? 0),
    oldest: Number(first?.oldest ?? 1),
  };
}

/** Why the events after a position cannot be read, if they cannot. */
export function goneAfter(after: number, { head, oldest }: EventsAfter): Problem | undefined {
  if (after >= oldest - 1 && after <= head) return undefined;
  const cause = after > head ? `The newest position is ${head}` : `Events before position ${oldest} are not kept`;
  // In this order: what changes while the lists are read comes after that position.
  return new Problem('position-gone', `${cause}. Ask for after=latest, then read the lists, then go on from there.`, {
    path: 'query.after',
    oldest,
  });
}
