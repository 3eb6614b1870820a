import type { Parts } from '@indbakke/shared/service';

/**
 * What tells this database from one that was restored: the cluster, its timeline, which is another one after each recovery from a
 * backup and each failover, and the number of the database in the cluster.
 */
export async function databaseId({ store }: Pick<Parts, 'store'>): Promise<string> {
  const [row] = await store.sweep<{ id: string }>(
    `SELECT system_identifier || '-' || left(pg_walfile_name(pg_current_wal_lsn()), 8) || '-'
       || (SELECT oid FROM pg_database WHERE datname = current_database()) AS id FROM pg_control_system()`,
  );
  return (row as { id: string }).id;
}

/** The database that the ledger was last said to be of; undefined when it says nothing yet. */
export async function databaseOfLedger({ store }: Pick<Parts, 'store'>): Promise<string | undefined> {
  const [row] = await store.sweep<{ database: string }>(
    'SELECT database FROM ledger_files WHERE database IS NOT NULL ORDER BY last_line DESC LIMIT 1',
  );
  return row?.database;
}

/** The heads of the change feed. */
export async function readHeads({ store }: Pick<Parts, 'store'>): Promise<Map<string, number>> {
  const rows = await store.sweep<{ municipality: string; head: string }>(
    'SELECT municipality, event_position AS head FROM feed_heads ORDER BY municipality',
  );
  return new Map(rows.map(({ municipality, head }) => [municipality, Number(head)]));
}

/** Whether this is another database than the ledger is of, or an older state of it: a change feed has been further than it is. */
export async function isRestored(parts: Pick<Parts, 'store'>): Promise<boolean> {
  const ofLedger = await databaseOfLedger(parts);
  if (ofLedger === undefined) return false;
  if (ofLedger !== (await databaseId(parts))) return true;
  const behind = await parts.store.sweep(
    `SELECT FROM ledger_days d LEFT JOIN feed_heads h USING (municipality)
     GROUP BY d.municipality, h.event_position HAVING max(d.event_position) > coalesce(h.event_position, 0) LIMIT 1`,
  );
  return behind.length > 0;
}
