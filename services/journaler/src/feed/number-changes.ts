import { CHAINED_COLUMNS, type ChainedRow, chainHash } from '@indbakke/shared/audit';
import { announce } from '@indbakke/shared/crash-points';
import type { KeyRing } from '@indbakke/shared/keys';
import type { Parts } from '@indbakke/shared/service';
import type { Connection } from '@indbakke/shared/store';

/** Tells with NOTIFY that a municipality has events up to a new head: `22222222 17`. */
export const FEED_CHANNEL = 'indbakke_feed';

// A transaction of some hundred milliseconds, which holds some MB.
const BATCH = 2_000;

// Each statement after it sees what the numberer before has committed. By index: a table with few rows grows.
const LOCK = `
  SELECT pg_try_advisory_xact_lock(hashtext('indbakke_numberer')) AS "isFree", set_config('enable_seqscan', 'off', true),
    set_config('plan_cache_mode', 'force_generic_plan', true)`;

/**
 * Gives committed events and audit rows their positions: by municipality, from 1 and without gaps, those of one message in the
 * order of its versions. All positions of a batch become visible together, and those of the next batch after them, since one
 * process numbers at a time and a position is given in the transaction that moves the head. So nothing ever appears at or below
 * a position that somebody has read, whatever order the changes are committed in.
 *
 * @returns whether there may be more
 */
export async function numberChanges(
  { store, keys }: Pick<Parts, 'store' | 'keys'>,
  batch: number = BATCH,
): Promise<boolean> {
  const most = await store.sweepTogether(LOCK, async (connection, [lock]: readonly { isFree: boolean }[]) => {
    if (!lock?.isFree) return 0;
    const { events, auditRows } = await numberEvents(connection, batch);
    await numberAuditRows(connection, keys, auditRows);
    const numbered = Math.max(events, auditRows.length);
    if (numbered > 0) announce('positions-written');
    return numbered;
  });
  if (most > 0) announce('positions-committed');
  return most >= batch;
}

type UnnumberedRow = Omit<ChainedRow, 'position'> & {
  readonly municipality: string;
  readonly head: string | null;
  readonly headHash: Buffer | null;
};

// The oldest events, with all of their messages: a version is never numbered before the one before it.
const NUMBER_EVENTS = `
  WITH oldest AS MATERIALIZED (
    SELECT message_id FROM events WHERE position IS NULL ORDER BY at LIMIT $1
  ), unnumbered AS (
    SELECT municipality, message_id, version, max(at) OVER (PARTITION BY message_id ORDER BY version) AS at
    FROM events WHERE position IS NULL AND message_id IN (SELECT message_id FROM oldest)
  ), numbered AS MATERIALIZED (
    SELECT municipality, message_id, version, coalesce(h.event_position, 0)
      + row_number() OVER (PARTITION BY municipality ORDER BY at, message_id, version) AS position
    FROM unnumbered LEFT JOIN feed_heads h USING (municipality)
  ), heads AS (
    INSERT INTO feed_heads AS h (municipality, event_position)
    SELECT municipality, max(position) FROM numbered GROUP BY municipality
    ON CONFLICT (municipality) DO UPDATE SET event_position = excluded.event_position
    WHERE h.event_position = (SELECT min(position) - 1 FROM numbered n WHERE n.municipality = excluded.municipality)
    RETURNING h.municipality, pg_notify('${FEED_CHANNEL}', h.municipality || ' ' || h.event_position)
  ), written AS (
    UPDATE events e SET position = n.position FROM numbered n JOIN heads USING (municipality)
    WHERE e.message_id = n.message_id AND e.version = n.version
  )`;

/** Numbers events; and reads the audit rows that are next, the oldest ones, in the same statement. */
async function numberEvents(
  connection: Connection,
  batch: number,
): Promise<{ events: number; auditRows: UnnumberedRow[] }> {
  const { rows } = await connection.query<Partial<UnnumberedRow> & { events: number }>({
    name: 'number-events',
    text: `${NUMBER_EVENTS}
      SELECT counted.events, a.*
      FROM (SELECT count(*)::int AS events FROM numbered) AS counted
      LEFT JOIN LATERAL (
        SELECT ${CHAINED_COLUMNS.map((column) => `a.${column}`).join(', ')}, h.audit_position AS head, h.audit_hash AS "headHash"
        FROM audit_events a LEFT JOIN feed_heads h USING (municipality)
        WHERE a.position IS NULL ORDER BY a.at, a.id LIMIT $1
      ) a ON true`,
    values: [batch],
  });
  const auditRows = rows.filter(({ id }) => id !== null).map(({ events: _, ...row }) => row as UnnumberedRow);
  return { events: rows[0]?.events ?? 0, auditRows };
}

/** Chains each audit row to the one before it. They may come in any order. */
async function numberAuditRows(connection: Connection, keys: KeyRing, rows: readonly UnnumberedRow[]): Promise<void> {
  if (rows.length === 0) return;
  const heads = new Map<string, { position: bigint; hash: Buffer | null }>();
  const links = rows.map(({ head, headHash, ...row }) => {
    const { municipality } = row;
    const before = heads.get(municipality) ?? { position: BigInt(head ?? 0), hash: headHash };
    const position = before.position + 1n;
    const hash = chainHash(keys, before.hash, { ...row, position } as ChainedRow);
    heads.set(municipality, { position, hash });
    return { id: row.id, at: row.at, municipality, position: String(position), hash };
  });
  const { rowCount } = await connection.query({
    name: 'number-audit-rows',
    text: `
      WITH numbered AS MATERIALIZED (
        SELECT * FROM unnest($1::uuid[], $2::timestamptz[], $3::text[], $4::bigint[], $5::bytea[])
          AS n (id, at, municipality, position, hash)
      ), heads AS (
        INSERT INTO feed_heads AS h (municipality, audit_position, audit_hash)
        SELECT DISTINCT ON (municipality) municipality, position, hash FROM numbered ORDER BY municipality, position DESC
        ON CONFLICT (municipality) DO UPDATE SET audit_position = excluded.audit_position, audit_hash = excluded.audit_hash
        WHERE h.audit_position = (SELECT min(position) - 1 FROM numbered n WHERE n.municipality = excluded.municipality)
        RETURNING h.municipality
      )
      UPDATE audit_events a SET position = n.position, hash = n.hash FROM numbered n JOIN heads USING (municipality)
      WHERE a.id = n.id AND a.at = n.at`,
    values: [
      links.map(({ id }) => id),
      links.map(({ at }) => at),
      links.map(({ municipality }) => municipality),
      links.map(({ position }) => position),
      links.map(({ hash }) => hash),
    ],
  });
  // Else the chain would have a hole: nothing is committed, and all of it is done again.
  if (rowCount !== rows.length) throw new Error(`${rowCount} of ${rows.length} audit rows could be numbered.`);
}
