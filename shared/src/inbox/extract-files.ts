import { type Connection, Prisma, run } from '../store/index.js';

const { sql } = Prisma;

/**
 * Until the transaction ends, either one file of an extract is stored in the municipality (`alone`), or messages are deleted
 * (`shared`). So a deletion finds every file that has its message, and who stores a file finds every deletion.
 */
export function lockExtractFiles(connection: Connection, municipality: string, how: 'alone' | 'shared') {
  const lock = how === 'alone' ? sql`pg_advisory_xact_lock` : sql`pg_advisory_xact_lock_shared`;
  return run(connection, sql`SELECT ${lock}(hashtext('extract-files'), ${municipality}::int)`);
}

/**
 * The statement that removes files of extracts, with their keys, and requests the removal of their content.
 *
 * @param which a condition on `extract_files AS f`
 */
export function removalOfExtractFiles(which: Prisma.Sql, at: Date): Prisma.Sql {
  return sql`
    WITH removed AS (DELETE FROM extract_files f WHERE ${which} RETURNING municipality, blob_name)
    INSERT INTO content_removals (blob_name, municipality, requested_at)
    SELECT blob_name, municipality, ${at}::timestamptz FROM removed WHERE blob_name IS NOT NULL`;
}
