import pg from 'pg';
import { sessionWith } from '../postgres/session.js';
import { RELIED_ON } from './relied-on.js';

/**
 * Runs `work` with a connection of its own, whose statements may take as long as they need, with the privileges of a sweep.
 *
 * @param url the login of the services; with `isOwner`, that of the owner of the tables, which keeps its own privileges
 */
export async function withMaintenance<T>(
  { url, name, isOwner = false }: { readonly url: string; readonly name: string; readonly isOwner?: boolean },
  work: (connection: pg.ClientBase) => Promise<T>,
): Promise<T> {
  const connection = new pg.Client({ connectionString: url, application_name: name, keepAlive: true });
  connection.on('error', () => {}); // a broken connection fails its next statement
  await connection.connect();
  try {
    // What is lost with the last moments before a crash is done again.
    const settings = [...RELIED_ON, 'SET synchronous_commit = off'];
    await sessionWith(isOwner ? settings : [...settings, 'SET ROLE indbakke_worker'])(connection);
    return await work(connection);
  } finally {
    await connection.end();
  }
}
