import type { z } from 'zod';
import type { ChangeAnswer, LegalHoldBody } from '../api/index.js';
import type { ChangeRequest } from '../lifecycle/index.js';
import { type Connection, newId, Prisma, run, type Store } from '../store/index.js';
import { changeMessage } from './change-message.js';
import { isPossible, lockFacts, NO_DELETION } from './delete.js';

const { sql } = Prisma;

type LegalHold = z.infer<typeof LegalHoldBody>;

/**
 * Puts a message under a legal hold: nothing of it is deleted until somebody lifts it. A deletion that waits or runs is cancelled,
 * so that nothing goes by itself when the hold is lifted.
 */
export function setLegalHold(store: Store, request: ChangeRequest, { reason }: LegalHold): Promise<ChangeAnswer> {
  const { id, principal, at } = request;
  return changeMessage(store, request, 'legal-hold-set', async (connection) => {
    const facts = await lockFacts(connection, request);
    return {
      isPossible: isPossible(request, 'legal-hold-set', facts),
      set: sql`legal_hold = true, ${NO_DELETION}`,
      ...(facts.deletionRequestedAt && { ownDetails: { deletionCancelled: true } }),
      isRepeat: (again) => hasRow(again, sql`message_id = ${id}::uuid AND lifted_at IS NULL AND reason = ${reason}`),
      write: (writer) =>
        run(
          writer,
          sql`
            INSERT INTO legal_holds (id, message_id, municipality, reason, set_at, set_by)
            VALUES (${newId()}::uuid, ${id}::uuid, ${principal.municipality}, ${reason}, ${at}::timestamptz, ${principal.actor.id})`,
        ),
    };
  });
}

/** Lifts the legal hold of a message. */
export function liftLegalHold(store: Store, request: ChangeRequest, { reason }: LegalHold): Promise<ChangeAnswer> {
  const { id, principal, at } = request;
  return changeMessage(store, request, 'legal-hold-lifted', async (connection) => ({
    isPossible: isPossible(request, 'legal-hold-lifted', await lockFacts(connection, request)),
    set: sql`legal_hold = false`,
    isRepeat: (again) => hasRow(again, sql`id = ${newestOf(id)} AND lifted_reason = ${reason}`),
    write: (writer) =>
      run(
        writer,
        sql`
          UPDATE legal_holds SET lifted_at = ${at}::timestamptz, lifted_by = ${principal.actor.id}, lifted_reason = ${reason}
          WHERE message_id = ${id}::uuid AND lifted_at IS NULL`,
      ),
  }));
}

const newestOf = (messageId: string) =>
  sql`(SELECT id FROM legal_holds WHERE message_id = ${messageId}::uuid ORDER BY set_at DESC LIMIT 1)`;

async function hasRow(connection: Connection, which: Prisma.Sql): Promise<boolean> {
  const rows = await run(connection, sql`SELECT FROM legal_holds WHERE ${which}`);
  return rows.length > 0;
}
