import { asSystem } from '@indbakke/shared/access';
import { INDBAKKE } from '@indbakke/shared/audit';
import { announce } from '@indbakke/shared/crash-points';
import { Problem } from '@indbakke/shared/errors';
import { daysBefore, hasDueContent, removeContent, removeWithin } from '@indbakke/shared/inbox';
import { type ChangeRequest, writeChange } from '@indbakke/shared/lifecycle';
import { type Parts, tryEach } from '@indbakke/shared/service';
import { type Connection, Prisma, run } from '@indbakke/shared/store';

const { sql } = Prisma;

const BATCH = 500;

/**
 * Removes the content of journalized messages that their municipality keeps no longer, and all that is personal of them: each in a
 * transaction of its own, so a process that ends in between leaves the rest to the next one, and several may do it at once.
 *
 * @returns how many there were in this batch
 * @throws the first error, after it has tried the others
 */
export async function removeDueContent(parts: Parts, now: Date): Promise<number> {
  // Only whom to look at: the condition is in the statement that removes.
  const due = await parts.store.sweep<{ id: string; municipality: string }>(
    `SELECT m.id, m.municipality FROM municipalities c CROSS JOIN LATERAL (
       SELECT id, municipality FROM messages m
       WHERE m.municipality = c.cvr AND m.status = 'journalized' AND m.content_removed_at IS NULL AND NOT m.legal_hold
         AND m.handled_at < $1::timestamptz - make_interval(days => c.remove_content_after_days)
         AND NOT EXISTS (SELECT FROM unhashed_messages u WHERE u.message_id = m.id)
       ORDER BY m.handled_at, m.id LIMIT $2) AS m
     WHERE c.remove_content_after_days IS NOT NULL LIMIT $2`,
    [now, BATCH],
  );
  return tryEach(due, ({ id, municipality }) => {
    const principal = asSystem(municipality, INDBAKKE);
    return removeIfDue(parts, { principal, id, expectedVersion: undefined, at: now });
  });
}

/** @returns whether it was due: it may have been taken back, put under a legal hold or removed meanwhile, or the time be set anew */
async function removeIfDue(parts: Parts, request: ChangeRequest): Promise<boolean> {
  let orphan: string | undefined;
  try {
    orphan = await removeRows(parts, request);
  } catch (error) {
    if (error instanceof Problem && error.code === 'wrong-status') return false;
    throw error;
  }
  announce('retention-committed');
  if (orphan !== undefined) await removeContent(parts, orphan);
  return true;
}

function removeRows({ store }: Parts, request: ChangeRequest): Promise<string | undefined> {
  const { municipality } = request.principal;
  return store.withTenantConnection(municipality, async (connection) => {
    // The setting stays as it is until the content is gone, so that who switches it off knows what is kept.
    const [settings] = await run<{ days: number | null }>(
      connection,
      sql`SELECT remove_content_after_days AS days FROM municipalities WHERE cvr = ${municipality} FOR SHARE`,
    );
    const days = settings?.days ?? null;
    const isPossible = {
      condition: hasDueContent(daysBefore(request.at, days)),
      otherwise: () => new Problem('wrong-status', 'The content of the message is not to be removed.'),
    };
    return removeContentWithin(connection, request, { days: days ?? 0 }, { isPossible });
  });
}

/**
 * Removes the content of a journalized message, and all that is personal of it, in a transaction of which it is a part.
 *
 * @param details for event and audit row
 * @returns the name of the content, to be removed after the commit
 */
export async function removeContentWithin(
  connection: Connection,
  request: ChangeRequest,
  details: Readonly<Record<string, string | number | boolean>>,
  conditions?: Parameters<typeof writeChange>[4],
): Promise<string | undefined> {
  const set = sql`content_removed_at = ${request.at}::timestamptz, content_size = 0, in_deletion_ledger = false`;
  await writeChange(connection, request, 'content-removed', { set, details }, conditions);
  return removeWithin(connection, request);
}
