import type { z } from 'zod';
import { assignedTo, ownIdOf } from '../access/index.js';
import type { AssignmentBody, ChangeAnswer } from '../api/index.js';
import { Problem } from '../errors/index.js';
import { ATTRIBUTE_CHANGES, type ChangeRequest } from '../lifecycle/index.js';
import { Prisma, type Store } from '../store/index.js';
import { type ChangeEffects, changeMessage } from './change-message.js';

/** Assigns a message to a caseworker or a team, who may then see it. */
export function assign(
  store: Store,
  request: ChangeRequest,
  { assignee: { kind, id } }: z.infer<typeof AssignmentBody>,
): Promise<ChangeAnswer> {
  return changeMessage(store, request, 'assigned', {
    set: Prisma.sql`assignee_kind = ${kind}, assignee_id = ${id}`,
    details: { assigneeKind: kind, assigneeId: id },
  });
}

/** Removes the assignment. The assignee may always do so; others need a role that may assign. */
export function unassign(store: Store, request: ChangeRequest): Promise<ChangeAnswer> {
  return changeMessage(store, request, 'unassigned', {
    ...mayUnassign(request),
    isPossible: {
      condition: Prisma.sql`m.assignee_id IS NOT NULL`,
      otherwise: (allowed) => new Problem('wrong-status', `The message is assigned to nobody; ${allowed}`),
    },
    set: Prisma.sql`assignee_kind = NULL, assignee_id = NULL`,
  });
}

function mayUnassign({ principal }: ChangeRequest): Pick<ChangeEffects, 'isAllowed'> {
  const { roles } = ATTRIBUTE_CHANGES.assigned;
  if (roles.some((role) => principal.roles.has(role))) return {};
  const otherwise = () =>
    new Problem('role-missing', `Only the assignee may hand it back without the role ${roles.join(' or ')}.`);
  // Who stands in for the assignee sees the message; to hand it back is the assignee’s own decision.
  const condition = assignedTo(principal, Prisma.sql`ARRAY[${ownIdOf(principal.actor)}::text]`);
  return { isAllowed: { condition, otherwise } };
}
