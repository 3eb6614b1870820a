import { deleteWithin } from '@indbakke/shared/inbox';
import { type Change, type ChangeRequest, type Status, writeChange } from '@indbakke/shared/lifecycle';
import { type Connection, Prisma } from '@indbakke/shared/store';

const { sql } = Prisma;

/** From each status, the changes that lead to where a message may be deleted. */
const WAY = {
  pending: ['rejected'],
  held: ['rejected'],
  journalized: ['taken-back', 'rejected'],
  rejected: [],
} as const satisfies Record<Exclude<Status, 'deleted'>, readonly Change[]>;

/** The statuses of messages that are not deleted. */
export const NOT_DELETED = Object.keys(WAY);

/**
 * Deletes a message for good by the changes that a caseworker would make, in a transaction of which it is a part.
 *
 * @param details of the deletion, for event and audit row
 * @returns the name of the content, to be removed after the commit
 */
export async function deleteFromAnyStatus(
  connection: Connection,
  request: ChangeRequest,
  status: keyof typeof WAY,
  details: Readonly<Record<string, string | boolean>> = {},
): Promise<string | undefined> {
  for (const change of WAY[status]) {
    const isRejected = change === 'rejected';
    await writeChange(
      connection,
      request,
      change,
      isRejected ? { set: sql`rejection_reason = 'other'`, details: { reason: 'other' } } : {},
    );
  }
  return deleteWithin(connection, request, details);
}
