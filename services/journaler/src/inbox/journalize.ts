import type { ChangeAnswer, JournalizationBody } from '@indbakke/shared/api';
import { Problem } from '@indbakke/shared/errors';
import { changeMessage } from '@indbakke/shared/inbox';
import type { ChangeRequest } from '@indbakke/shared/lifecycle';
import { type Connection, Prisma, run, type Store } from '@indbakke/shared/store';
import type { z } from 'zod';

const { sql } = Prisma;

type Journalization = z.infer<typeof JournalizationBody>;

/**
 * Confirms that the core has the content on these cases.
 *
 * @param allowsUnknown whether a case may be one that the core has not registered
 * @throws Problem unknown-case
 */
export function journalize(
  store: Store,
  request: ChangeRequest,
  { caseIds, reference: given }: Journalization,
  allowsUnknown: boolean,
): Promise<ChangeAnswer> {
  const { id: messageId, principal, at } = request;
  const { municipality, actor } = principal;
  const cases = [...new Set(caseIds)].sort(); // in whatever order, it is the same change
  const reference = given ?? null;
  return changeMessage(store, request, 'journalized', {
    details: { caseIds: cases.join(' ') },
    async isRepeat(connection) {
      const rows = await run<{ caseId: string; reference: string | null }>(
        connection,
        sql`SELECT case_id AS "caseId", reference FROM journalizations WHERE message_id = ${messageId}::uuid`,
      );
      return (
        rows.length === cases.length && rows.every((row) => cases.includes(row.caseId) && row.reference === reference)
      );
    },
    async write(connection) {
      if (!allowsUnknown) await requireRegistered(connection, municipality, caseIds);
      await run(
        connection,
        sql`
          INSERT INTO journalizations (message_id, case_id, municipality, reference, at, by)
          SELECT ${messageId}::uuid, case_id, ${municipality}, ${reference}, ${at}::timestamptz, ${actor.id}
          FROM unnest(${cases}::text[]) AS case_id`,
      );
    },
  });
}

/** A case that only a sent message has named is registered too. */
async function requireRegistered(connection: Connection, municipality: string, caseIds: string[]): Promise<void> {
  const rows = await run<{ caseId: string }>(
    connection,
    sql`SELECT case_id AS "caseId" FROM cases WHERE municipality = ${municipality} AND case_id = ANY (${caseIds}::text[])`,
  );
  const registered = new Set(rows.map(({ caseId }) => caseId));
  const unknown = caseIds.flatMap((caseId, at) => (registered.has(caseId) ? [] : [`body.caseIds.${at}`]));
  if (unknown.length === 0) return;
  const more = unknown.length > 1 ? ` (and ${unknown.length - 1} more)` : '';
  throw new Problem(
    'unknown-case',
    `The core has not registered the case at ${unknown[0]}${more}. Register it with PUT /api/v1/cases/{caseId} first.`,
    { path: unknown[0] as string },
  );
}

/** Undoes a journalization: the message is pending again, and on no case. */
export function takeBack(store: Store, request: ChangeRequest, { reason }: { reason: string }): Promise<ChangeAnswer> {
  return changeMessage(store, request, 'taken-back', {
    details: { reason },
    write: (connection) => run(connection, sql`DELETE FROM journalizations WHERE message_id = ${request.id}::uuid`),
  });
}
