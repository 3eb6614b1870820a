import { Prisma } from '@indbakke/shared/store';

const { sql } = Prisma;

/**
 * The statement that changes a zip which is not ready, and requests the removal of what a job has written of it so far.
 *
 * @param which a condition on `zip_downloads AS z`
 * @param set columns to set besides
 */
export function dropUnfinished(which: Prisma.Sql, at: Date, set: Prisma.Sql): Prisma.Sql {
  return sql`
    WITH before AS (
      SELECT z.id, z.municipality, z.blob_name FROM zip_downloads z WHERE ${which} FOR UPDATE
    ), changed AS (
      UPDATE zip_downloads SET blob_name = NULL, ${set} FROM before WHERE zip_downloads.id = before.id
    )
    INSERT INTO content_removals (blob_name, municipality, requested_at)
    SELECT blob_name, municipality, ${at}::timestamptz FROM before WHERE blob_name IS NOT NULL
    RETURNING blob_name AS "blobName"`;
}
