import { type Connection, Prisma, run } from '../store/index.js';
import { isFile, type Scanning } from './may-open.js';

const { sql } = Prisma;

// Files made of messages: those of extracts, access packages, and zip downloads.

/**
 * Until the transaction ends, either one file made of messages is stored in the municipality (`alone`), or messages are deleted or
 * their files found unsafe (`shared`). So these find every file that has the message, and who stores a file finds all of these.
 */
export function lockMadeFiles(connection: Connection, municipality: string, how: 'alone' | 'shared') {
  const lock = how === 'alone' ? sql`pg_advisory_xact_lock` : sql`pg_advisory_xact_lock_shared`;
  return run(connection, sql`SELECT ${lock}(hashtext('made-files'), ${municipality}::int)`);
}

/**
 * Whether one of these messages has been deleted, its content was removed, or its deletion delay runs: no file made of messages may
 * have it. Under lockMadeFiles that happens to none after this.
 */
export async function isAnyGone(connection: Connection, messageIds: readonly string[]): Promise<boolean> {
  const ids = sql`${[...messageIds]}::uuid[]`;
  const gone = await run(
    connection,
    sql`
      SELECT FROM messages
      WHERE id = ANY (${ids}) AND (status = 'deleted' OR content_removed_at IS NOT NULL OR deletion_due_at IS NOT NULL) LIMIT 1`,
  );
  return gone.length > 0;
}

/**
 * Whether one of these files, which were open when they were read, is no longer: nothing that was made with it may be stored. Under
 * lockMadeFiles, what is stored after this is removed when one of them is found unsafe.
 */
export async function isAnyClosed(
  connection: Connection,
  scanning: Scanning,
  fileIds: readonly string[],
): Promise<boolean> {
  const closed = await run(
    connection,
    sql`SELECT FROM files f WHERE f.id = ANY (${[...fileIds]}::uuid[]) AND ${isFile(scanning, 'held', 'unsafe')} LIMIT 1`,
  );
  return closed.length > 0;
}

/** After this no file made of messages has the message, and none that is being made with it can be stored. */
export async function removeFromMadeFiles(
  connection: Connection,
  municipality: string,
  messageId: string,
  at: Date,
): Promise<void> {
  await removeFromZips(connection, municipality, messageId, at);
  const filesWith = sql`f.id = ANY (ARRAY(SELECT file_id FROM extract_file_messages WHERE message_id = ${messageId}::uuid))`;
  await run(connection, removalOfExtractFiles(filesWith, at));
}

/**
 * Removes the zip downloads and access packages that have the message. One that is being made finds what was written before this
 * in the same transaction (isAnyGone, isAnyClosed), and is not stored.
 */
export async function removeFromZips(
  connection: Connection,
  municipality: string,
  messageId: string,
  at: Date,
): Promise<void> {
  await lockMadeFiles(connection, municipality, 'shared');
  const packagesWith = sql`p.id = ANY (ARRAY(SELECT package_id FROM access_package_messages WHERE message_id = ${messageId}::uuid))`;
  await run(connection, removalOfAccessPackages(packagesWith, at));
  const zipsWith = sql`z.status = 'ready' AND z.id = ANY (ARRAY(
    SELECT zip_id FROM zip_download_messages WHERE message_id = ${messageId}::uuid AND left_out IS NULL))`;
  await run(connection, removalOfZipDownloads(zipsWith, at));
}

/**
 * The statement that removes files of extracts, with their keys, and requests the removal of their content.
 *
 * @param which a condition on `extract_files AS f`
 */
export const removalOfExtractFiles = (which: Prisma.Sql, at: Date) => removalFrom(sql`extract_files f`, which, at);

/**
 * The same of access packages, with all that is kept of them.
 *
 * @param which a condition on `access_packages AS p`
 */
export const removalOfAccessPackages = (which: Prisma.Sql, at: Date) => removalFrom(sql`access_packages p`, which, at);

/**
 * The same of zip downloads.
 *
 * @param which a condition on `zip_downloads AS z`
 */
export const removalOfZipDownloads = (which: Prisma.Sql, at: Date) => removalFrom(sql`zip_downloads z`, which, at);

function removalFrom(table: Prisma.Sql, which: Prisma.Sql, at: Date): Prisma.Sql {
  return sql`
    WITH removed AS (DELETE FROM ${table} WHERE ${which} RETURNING municipality, blob_name)
    INSERT INTO content_removals (blob_name, municipality, requested_at)
    SELECT blob_name, municipality, ${at}::timestamptz FROM removed WHERE blob_name IS NOT NULL`;
}
