import { namesClosedCase, type Principal, visibleTo } from '@indbakke/shared/access';
import type { EventList } from '@indbakke/shared/api';
import { Prisma, type Store } from '@indbakke/shared/store';

const { sql } = Prisma;

/**
 * What a caller may have of events that were read: all for the core, else those of messages that the caller may see now. Positions
 * stay as they are, so that everybody learns that something has changed, and reads again.
 */
export async function forReader(store: Store, principal: Principal, list: EventList): Promise<EventList> {
  if (principal.roles.has('Indbakke.System') || list.events.length === 0) return list;
  const rows = await store.query<{ messageId: string; version: number; namesClosed: boolean }>(
    principal.municipality,
    sql`
      SELECT e.message_id AS "messageId", e.version, ${namesClosedCase(principal, sql`e.details`)} AS "namesClosed"
      FROM unnest(${list.events.map(({ messageId }) => messageId)}::uuid[], ${list.events.map(({ version }) => version)}::int[])
        AS asked (message_id, version)
      JOIN events e ON e.message_id = asked.message_id AND e.version = asked.version
      JOIN messages m ON m.id = e.message_id
      WHERE ${visibleTo(principal)}`,
    'kept',
  );
  const seen = new Map(rows.map((row) => [`${row.messageId} ${row.version}`, row]));
  const events = list.events.flatMap((event) => {
    const row = seen.get(`${event.messageId} ${event.version}`);
    if (!row) return [];
    return [row.namesClosed ? { ...event, details: {} } : event];
  });
  return { ...list, events };
}
