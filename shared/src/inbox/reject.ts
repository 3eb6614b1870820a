import type { z } from 'zod';
import type { ChangeAnswer, OutcomeBody, RejectionBody } from '../api/index.js';
import { Problem } from '../errors/index.js';
import { type ChangeRequest, isOnItsWay, lockTold, ONWARD_STATUS, type OnwardStatus } from '../lifecycle/index.js';
import { type Connection, Prisma, run, type Store } from '../store/index.js';
import { type ChangeEffects, changeMessage } from './change-message.js';
import { NO_DELETION } from './delete.js';

const { sql } = Prisma;

type Rejection = z.infer<typeof RejectionBody>;

/**
 * Rejects a message. The texts that go with the reason are personal, so they are stored apart from its code. Of them the sender
 * of a document reads the one that is for it, and no other.
 *
 * @throws Problem unknown-department, or bad-request for words to a sender that is never told, beside those of any change
 */
export function reject(store: Store, request: ChangeRequest, rejection: Rejection): Promise<ChangeAnswer> {
  const { reason, outcome, reasonForSender } = rejection;
  const texts = textsOf(rejection);
  return changeMessage(store, request, 'rejected', {
    set: Prisma.join([sql`rejection_reason = ${reason}`, ...columnsOf(request, outcome)]),
    details: { reason, ...codesOf(outcome) },
    ...(reasonForSender !== undefined && { isPossible: HAS_SUCH_A_SENDER }),
    isRepeat: (connection) => areStored(connection, request.id, texts),
    async write(connection) {
      await requireDepartment(connection, request, outcome, 'body.outcome');
      await writeTexts(connection, request.id, texts);
    },
  });
}

const HAS_SUCH_A_SENDER: NonNullable<ChangeEffects['isPossible']> = {
  condition: sql`m.channel = 'sf2900'`,
  otherwise: () => {
    const path = 'body.reasonForSender';
    return new Problem('bad-request', `${path}: the sender of Digital Post is never told of a rejection.`, { path });
  },
};

/**
 * Tells what became of a rejected message, in place of what was told before.
 *
 * @throws Problem unknown-department, beside those of any change
 */
export function tellOutcome(store: Store, request: ChangeRequest, outcome: OutcomeBody): Promise<ChangeAnswer> {
  const texts = textsOfOutcome(outcome);
  return changeMessage(store, request, 'outcome-told', {
    set: Prisma.join(columnsOf(request, outcome)),
    details: codesOf(outcome),
    isRepeat: (connection) => areStored(connection, request.id, texts),
    async write(connection) {
      await requireDepartment(connection, request, outcome, 'body');
      await writeTexts(connection, request.id, texts);
    },
  });
}

/**
 * Undoes a rejection: the message gets its former status, and only the history shows the rejection and its outcome. Who reopens a
 * message wants to keep it, so a deletion that waits or runs is cancelled.
 *
 * @throws Problem rejection-told when the sender of a document has been told of the rejection, or may have been; sent-on while it is on
 *   its way to another authority; beside those of any change
 */
export function reopen(store: Store, request: ChangeRequest): Promise<ChangeAnswer> {
  return changeMessage(store, request, 'reopened', async (connection) => {
    const isTold = (await lockTold(connection, request)).has('AFVIST');
    const isBeingSent = isOnItsWay(await onwardStatusOf(connection, request.id));
    return {
      isPossible: {
        condition: sql`NOT ${isTold || isBeingSent}::bool`,
        otherwise: (allowed) => (isTold ? rejectionTold(allowed) : beingSent(allowed)),
      },
      set: Prisma.join([sql`rejection_reason = NULL, ${NO_DELETION}`, ...columnsOf(request, undefined)]),
      write: () => writeTexts(connection, request.id, textsOf({})),
    };
  });
}

const rejectionTold = (allowed: string) =>
  new Problem(
    'rejection-told',
    `The sender has been told that the document was rejected, or may have been; ${allowed}`,
  );

const beingSent = (allowed: string) =>
  new Problem('sent-on', `The message is on its way to another authority; ${allowed}`);

async function onwardStatusOf(connection: Connection, messageId: string): Promise<OnwardStatus | null> {
  const [row] = await run<{ onward: OnwardStatus | null }>(
    connection,
    sql`SELECT ${ONWARD_STATUS} AS onward FROM messages m WHERE m.id = ${messageId}::uuid`,
  );
  return row?.onward ?? null;
}

/** Of `messages`: who told the outcome and when, and the department. */
function columnsOf({ at, principal }: ChangeRequest, outcome: OutcomeBody | undefined): Prisma.Sql[] {
  return [
    sql`outcome_at = ${outcome ? at : null}::timestamptz`,
    sql`outcome_by = ${outcome ? principal.actor.id : null}::text`,
    sql`outcome_department_id = ${outcome?.forwardedTo?.departmentId ?? null}::text`,
  ];
}

/** Columns of `message_details` with their values. */
interface Texts {
  readonly columns: Prisma.Sql;
  readonly values: Prisma.Sql;
}

function textsOf({ explanation, reasonForSender, outcome }: Partial<Rejection>): Texts {
  const { columns, values } = textsOfOutcome(outcome);
  return {
    columns: sql`rejection_text, reason_for_sender, ${columns}`,
    values: sql`${explanation ?? null}::text, ${reasonForSender ?? null}::text, ${values}`,
  };
}

function textsOfOutcome(outcome: OutcomeBody | undefined): Texts {
  const informed = outcome && (outcome.senderInformed ?? false);
  return {
    columns: sql`forwarded_to, sender_informed`,
    values: sql`${outcome?.forwardedTo?.name ?? null}::text, ${informed ?? null}::bool`,
  };
}

/** For the event and the audit log. */
function codesOf(outcome: OutcomeBody | undefined): NonNullable<ChangeEffects['details']> {
  const { forwardedTo, senderInformed, nothingToDo } = outcome ?? {};
  return {
    ...(forwardedTo && { sentOn: true }),
    ...(forwardedTo?.departmentId !== undefined && { departmentId: forwardedTo.departmentId }),
    ...(senderInformed && { senderInformed }),
    ...(nothingToDo && { nothingToDo }),
  };
}

async function requireDepartment(
  connection: Connection,
  { principal: { municipality } }: ChangeRequest,
  outcome: OutcomeBody | undefined,
  place: string,
): Promise<void> {
  const departmentId = outcome?.forwardedTo?.departmentId;
  if (departmentId === undefined) return;
  const found = await run(
    connection,
    sql`
      SELECT FROM departments
      WHERE municipality = ${municipality} AND department_id = ${departmentId} AND is_active AND removed_at IS NULL`,
  );
  if (found.length > 0) return;
  const path = `${place}.forwardedTo.departmentId`;
  const detail = `The address book has no active department with the id at ${path}. See GET /api/v1/departments.`;
  throw new Problem('unknown-department', detail, { path });
}

async function areStored(connection: Connection, messageId: string, { columns, values }: Texts): Promise<boolean> {
  const rows = await run(
    connection,
    sql`
      SELECT FROM message_details
      WHERE message_id = ${messageId}::uuid AND ROW (${columns}) IS NOT DISTINCT FROM ROW (${values})`,
  );
  return rows.length > 0;
}

function writeTexts(connection: Connection, messageId: string, { columns, values }: Texts): Promise<unknown> {
  return run(
    connection,
    sql`UPDATE message_details SET (${columns}) = ROW (${values}) WHERE message_id = ${messageId}::uuid`,
  );
}
