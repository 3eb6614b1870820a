import { asSystem, type Principal } from '@indbakke/shared/access';
import { INDBAKKE } from '@indbakke/shared/audit';
import { announce } from '@indbakke/shared/crash-points';
import { deleteWithin, removeContent } from '@indbakke/shared/inbox';
import { type Parts, tryEach } from '@indbakke/shared/service';
import { Prisma, run } from '@indbakke/shared/store';

const { sql } = Prisma;

const BATCH = 100;

type Destroyer = Pick<Parts, 'store' | 'blobs' | 'log'>;

/**
 * Destroys messages whose deletion delay is over, each in a transaction of its own. What a process leaves undone is due still, and
 * several may do it at once.
 *
 * @returns how many it destroyed
 * @throws the first error, after it has tried the others
 */
export async function destroyDue(parts: Destroyer, now: Date): Promise<number> {
  // In random order, so that messages that cannot be destroyed do not block the rest.
  const due = await parts.store.sweep<{ id: string; municipality: string }>(
    'SELECT id, municipality FROM messages WHERE deletion_due_at <= $1 ORDER BY random() LIMIT $2',
    [now, BATCH],
  );
  return tryEach(due, ({ id, municipality }) => destroy(parts, municipality, id, now));
}

/** @returns whether it was destroyed: it may have been cancelled, or destroyed by another process */
async function destroy(parts: Destroyer, municipality: string, id: string, now: Date): Promise<boolean> {
  let orphan: string | undefined;
  const isDone = await parts.store.withTenantConnection(municipality, async (connection) => {
    const [found] = await run<{ by: string; sentOn: boolean; senderInformed: boolean }>(
      connection,
      sql`
        SELECT coalesce(deletion_confirmed_by, deletion_requested_by) AS by, deletion_sent_on AS "sentOn",
          deletion_sender_informed AS "senderInformed"
        FROM messages WHERE id = ${id}::uuid AND deletion_due_at <= ${now}::timestamptz FOR UPDATE`,
    );
    if (!found) return false;
    const { by, ...details } = found;
    // Whose decision it was; the one who decided it may be gone by now.
    const principal: Principal = {
      ...asSystem(municipality, { ...INDBAKKE, onBehalfOf: by }),
      role: 'DigitalPost.Slet',
    };
    orphan = await deleteWithin(connection, { principal, id, expectedVersion: undefined, at: now }, details);
    return true;
  });
  if (isDone) announce('deletion-committed');
  if (orphan !== undefined) await removeContent(parts, orphan);
  return isDone;
}
