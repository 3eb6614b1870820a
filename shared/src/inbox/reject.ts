import type { z } from 'zod';
import type { ChangeAnswer, RejectionBody } from '../api/index.js';
import type { ChangeRequest } from '../lifecycle/index.js';
import { type Connection, Prisma, run, type Store } from '../store/index.js';
import { changeMessage } from './change-message.js';
import { NO_DELETION } from './delete.js';

const { sql } = Prisma;

type Rejection = z.infer<typeof RejectionBody>;

/** Rejects a message. The texts that go with the reason are personal, so they are stored apart from its code. */
export function reject(store: Store, request: ChangeRequest, rejection: Rejection): Promise<ChangeAnswer> {
  const { reason } = rejection;
  return changeMessage(store, request, 'rejected', {
    set: sql`rejection_reason = ${reason}`,
    details: { reason },
    async isRepeat(connection) {
      const rows = await run(
        connection,
        sql`
          SELECT FROM message_details
          WHERE message_id = ${request.id}::uuid AND (${TEXTS}) IS NOT DISTINCT FROM (${textsOf(rejection)})`,
      );
      return rows.length > 0;
    },
    write: (connection) => writeTexts(connection, request.id, rejection),
  });
}

/**
 * Undoes a rejection: the message gets its former status, and only the history shows the rejection. Who reopens a message wants to
 * keep it, so a deletion that waits or runs is cancelled.
 */
export function reopen(store: Store, request: ChangeRequest): Promise<ChangeAnswer> {
  return changeMessage(store, request, 'reopened', {
    set: sql`rejection_reason = NULL, ${NO_DELETION}`,
    write: (connection) => writeTexts(connection, request.id, {}),
  });
}

const TEXTS = sql`rejection_text, forwarded_to, sender_informed`;

function textsOf({ explanation, forwardedTo, senderInformed }: Partial<Rejection>): Prisma.Sql {
  return sql`${explanation ?? null}::text, ${forwardedTo ?? null}::text, ${senderInformed ?? null}::bool`;
}

function writeTexts(connection: Connection, messageId: string, rejection: Partial<Rejection>): Promise<unknown> {
  return run(
    connection,
    sql`UPDATE message_details SET (${TEXTS}) = ROW (${textsOf(rejection)}) WHERE message_id = ${messageId}::uuid`,
  );
}
