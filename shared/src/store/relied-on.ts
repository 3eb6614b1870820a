/**
 * What the code relies on, whatever the database, the login or the server is set to: names without a schema, times that pg reads,
 * policies that filter, and that a statement sees what was committed while it waited for a lock.
 */
export const RELIED_ON = [
  'SET search_path = public',
  'SET datestyle = ISO',
  'SET row_security = on',
  `SET default_transaction_isolation = 'read committed'`,
];
