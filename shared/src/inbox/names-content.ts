/** Tables whose rows name containers in the content store, in `blob_name`, which has an index. No two rows name the same one. */
const TABLES = ['messages', 'extract_files', 'access_packages', 'zip_downloads', 'quarantine_entries'] as const;

/** Which of the containers `$1`, an array of names, have a row: `blob_name` and `table`. */
export const WHAT_NAMES_CONTENT = TABLES.map(
  (table) => `SELECT blob_name, '${table}' AS "table" FROM ${table} WHERE blob_name = ANY($1)`,
).join(' UNION ALL ');
