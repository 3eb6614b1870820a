/**
 * What the code relies on, whatever the database, the login or the server is set to: names without a schema, times that pg reads,
 * policies that filter, that a statement sees what was committed while it waited for a lock, that a COMMIT that is answered is on
 * disk, here and at the synchronous standbys, and that PostgreSQL says so when it is not there.
 */
export const RELIED_ON = [
  'SET search_path = public',
  'SET datestyle = ISO',
  'SET row_security = on',
  `SET default_transaction_isolation = 'read committed'`,
  `SELECT set_config('synchronous_commit', 'on', false) WHERE current_setting('synchronous_commit') <> 'remote_apply'`,
  'SET client_min_messages = warning',
];
