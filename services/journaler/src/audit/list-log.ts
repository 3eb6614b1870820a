import type { AuditEvent, AuditFilter, AuditSearchBody } from '@indbakke/shared/api';
import { type AuditEntry, citizensOf, insertAudit } from '@indbakke/shared/audit';
import { type LogParts, type LogRow, logRows } from '@indbakke/shared/audit-log';
import { currentTime } from '@indbakke/shared/clock';
import type { KeyRing } from '@indbakke/shared/keys';
import { Prisma } from '@indbakke/shared/store';
import { readCursor, writeCursor } from '../inbox/cursor.js';

const { sql } = Prisma;

/** One page of the log, newest first. The log has a row of this, too. */
export async function listAuditEvents(
  { store, keys }: LogParts,
  by: AuditEntry['by'],
  { limit, cursor, ...filter }: AuditSearchBody,
  path: string,
): Promise<{ items: AuditEvent[]; nextCursor: string | null }> {
  const from = cursor === undefined ? undefined : readCursor(keys, filter, cursor, path);
  const rows = logRows(keys, by.municipality, filter, { from, newestFirst: true, most: limit + 1 });
  const shown = sql`(SELECT jsonb_build_object('shown', least(count(*), ${limit}::int)) FROM found)`;
  const audit = insertAudit(auditOf(keys, by, 'log-searched', filter), { details: shown });
  const found = await store.query<LogRow>(
    by.municipality,
    sql`WITH found AS MATERIALIZED (${rows}), audit AS (${audit}) SELECT * FROM found ORDER BY at DESC, id DESC`,
    'kept',
  );
  const items = found
    .slice(0, limit)
    .map(({ receivedAt: _, letterAt: __, at, ...row }) => ({ ...row, at: at.toISOString() }));
  const last = items.at(-1);
  const isLast = found.length <= limit || !last;
  return {
    items,
    nextCursor: isLast ? null : writeCursor(keys, filter, { isTimeless: false, time: last.at, id: last.id }),
  };
}

/** The audit row of a reading of the log. */
export function auditOf(
  keys: KeyRing,
  by: AuditEntry['by'],
  action: 'log-searched' | 'log-exported' | 'log-sheet-made',
  { citizen, message, ...filter }: AuditFilter,
): AuditEntry {
  const given = Object.entries({ citizen, message, ...filter }).filter(([, value]) => value !== undefined);
  const [digest] = citizensOf(keys, [citizen]);
  return {
    by,
    at: currentTime(),
    action,
    messageId: message,
    citizen: digest === undefined ? undefined : Buffer.from(digest, 'hex'),
    details: {
      filters: given
        .map(([name]) => name)
        .sort()
        .join(' '),
    },
  };
}
