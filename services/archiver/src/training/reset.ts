import { asSystem } from '@indbakke/shared/access';
import { INDBAKKE } from '@indbakke/shared/audit';
import { currentTime } from '@indbakke/shared/clock';
import { announce } from '@indbakke/shared/crash-points';
import { removeContent } from '@indbakke/shared/inbox';
import type { ChangeRequest, Status } from '@indbakke/shared/lifecycle';
import { type Parts, tryEach } from '@indbakke/shared/service';
import { type Connection, Prisma, run } from '@indbakke/shared/store';
import { deleteFromAnyStatus, NOT_DELETED } from '../deletion/delete-from-any-status.js';

const { sql } = Prisma;

const BATCH = 100;

/**
 * Removes all mail of each training municipality whose reset was asked for: each message is deleted for good, by the changes that a
 * caseworker would make, whatever legal hold or delay is on it, since nothing there is real. It is due until nothing is left, so a
 * process that ends in between leaves the rest to the next one, and several may do it at once.
 */
export async function resetTraining(parts: Parts): Promise<void> {
  const due = await parts.store.sweep<{ municipality: string }>(
    'SELECT cvr AS municipality FROM municipalities WHERE is_training AND reset_due',
  );
  await tryEach(due, ({ municipality }) => removeAll(parts, municipality));
}

async function removeAll(parts: Parts, municipality: string): Promise<void> {
  let ids: string[];
  do {
    ids = await nextToRemove(parts, municipality);
    for (const id of ids) await removeMessage(parts, municipality, id);
  } while (ids.length > 0);
}

/** The next messages; when there are none, the reset is done, in the same transaction. */
function nextToRemove({ store }: Parts, municipality: string): Promise<string[]> {
  return store.withTenantConnection(municipality, async (connection) => {
    const isDue = sql`cvr = ${municipality} AND is_training AND reset_due`;
    const rows = await run<{ id: string }>(
      connection,
      sql`
        SELECT m.id FROM municipalities c JOIN messages m ON m.municipality = c.cvr
        WHERE ${isDue} AND m.status = ANY (${NOT_DELETED}::text[]) LIMIT ${BATCH}::int`,
    );
    if (rows.length === 0) {
      await run(connection, sql`UPDATE municipalities SET reset_due = false, training_since = now() WHERE ${isDue}`);
    }
    return rows.map(({ id }) => id);
  });
}

async function removeMessage(parts: Parts, municipality: string, id: string): Promise<void> {
  const principal = asSystem(municipality, INDBAKKE);
  const request: ChangeRequest = { principal, id, expectedVersion: undefined, at: currentTime() };
  const blobName = await parts.store.withTenantConnection(municipality, async (connection) => {
    const status = await lockMessage(connection, id);
    if (status === 'deleted') return undefined; // another process was first
    return deleteFromAnyStatus(connection, request, status);
  });
  announce('deletion-committed');
  if (blobName !== undefined) await removeContent(parts, blobName);
}

async function lockMessage(connection: Connection, id: string): Promise<Status> {
  const [row] = await run<{ status: Status }>(
    connection,
    sql`SELECT status FROM messages WHERE id = ${id}::uuid FOR UPDATE`,
  );
  return (row as { status: Status }).status;
}
