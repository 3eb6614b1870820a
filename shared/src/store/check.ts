import type pg from 'pg';
import { CLOCK, hearClock } from '../clock/index.js';
import { explainPostgres, explainRole } from '../postgres/reasons.js';
import { ask, withSessions } from '../postgres/session.js';
import { NotReady } from '../readiness/index.js';
import { namesOfMigrations } from './migrate.js';

/** Pools whose connections take the role in each transaction. */
interface Pools {
  readonly app: pg.Pool;
  readonly worker: pg.Pool;
}

/** What the database says of itself when it is ready. */
export interface StoreFacts {
  /** How far its clock is ahead of ours. */
  readonly clockAheadMs: number;
  /** Whether it has standbys, or others that read its log, and COMMIT waits for none of them. */
  readonly isAsynchronous: boolean;
  /** The ids of the master keys that its oldest and its newest content was sealed with. */
  readonly masterKeys: readonly string[];
}

/**
 * Whether messages can be stored and read: the schema is not older than this code (migrations only add, so a newer one
 * serves as well), the login has its roles, the roles their privileges.
 *
 * @throws NotReady with the reason, or any other error
 */
export async function checkStore({ app, worker }: Pools): Promise<StoreFacts> {
  try {
    return await withSessions([app, worker], async (asApp, asWorker) => {
      const facts = await checkSchema(asApp);
      await checkRole(asApp, 'indbakke_app');
      await checkRole(asWorker, 'indbakke_worker');
      await checkMigrations(asApp);
      const keys = await askAs<{ id: string }>(asWorker, 'indbakke_worker', 'SELECT public.master_keys_in_use() AS id');
      return { ...facts, masterKeys: keys.map(({ id }) => id) };
    });
  } catch (error) {
    throw explainPostgres(error);
  }
}

// Without a role, since the migrations create the roles too. From the catalogue, which every login may read.
const ABOUT = `
  SELECT current_setting('transaction_read_only') = 'on' AS "isReadOnly",
         ${CLOCK} AS clock,
         current_setting('synchronous_standby_names') = '' AND EXISTS (SELECT FROM pg_stat_replication) AS "isAsynchronous",
         EXISTS (SELECT FROM pg_class WHERE relname = 'messages' AND relnamespace = to_regnamespace('public')) AS "hasTables",
         EXISTS (SELECT FROM pg_proc WHERE proname = 'applied_migrations'
                 AND pronamespace = to_regnamespace('public')) AS "hasNames"`;

async function checkSchema(connection: pg.PoolClient): Promise<Omit<StoreFacts, 'masterKeys'>> {
  const asked = Date.now();
  const [about] = await ask<{
    isReadOnly: boolean;
    clock: number;
    isAsynchronous: boolean;
    hasTables: boolean;
    hasNames: boolean;
  }>(connection, ABOUT);
  const answered = Date.now();
  if (about) hearClock({ clock: about.clock, asked, answered });
  if (!about?.hasTables) throw new NotReady('schema-missing');
  if (!about.hasNames) throw new NotReady('schema-outdated');
  if (about.isReadOnly) throw new NotReady('read-only');
  return { clockAheadMs: about.clock - (asked + answered) / 2, isAsynchronous: about.isAsynchronous };
}

// Every table of a role has a policy for it, and a privilege.
const GRANTED = `
  SELECT count(*)::int AS policies, count(*) FILTER (WHERE has_any_column_privilege(polrelid, 'SELECT'))::int AS granted
  FROM pg_policy WHERE (SELECT oid FROM pg_roles WHERE rolname = current_user) = ANY (polroles)`;

async function checkRole(connection: pg.PoolClient, role: string): Promise<void> {
  const [found] = await askAs<{ policies: number; granted: number }>(connection, role, GRANTED);
  if (!found?.policies || found.granted < found.policies) throw new NotReady('privileges-missing', { role });
}

// Once, as this process began: the folder may be replaced by that of the next release while it runs.
let needed: Promise<string[]> | undefined;

async function checkMigrations(connection: pg.PoolClient): Promise<void> {
  needed ??= namesOfMigrations();
  const rows = await askAs<{ name: string }>(connection, 'indbakke_app', 'SELECT public.applied_migrations() AS name');
  const applied = new Set(rows.map(({ name }) => name));
  if (!(await needed).every((name) => applied.has(name))) throw new NotReady('schema-outdated');
}

async function askAs<Row extends pg.QueryResultRow>(
  connection: pg.PoolClient,
  role: string,
  question: string,
): Promise<Row[]> {
  await ask(connection, `BEGIN; SET LOCAL ROLE ${role}`).catch(explainRole(role));
  const rows = await ask<Row>(connection, question);
  await ask(connection, 'ROLLBACK');
  return rows;
}
