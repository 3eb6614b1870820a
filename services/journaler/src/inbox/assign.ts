import { assignedTo } from '@indbakke/shared/access';
import type { ChangeAnswer } from '@indbakke/shared/api';
import { Problem } from '@indbakke/shared/errors';
import { type ChangeEffects, changeMessage } from '@indbakke/shared/inbox';
import { type Assignee, ATTRIBUTE_CHANGES, type ChangeRequest } from '@indbakke/shared/lifecycle';
import { Prisma, type Store } from '@indbakke/shared/store';

/** Assigns a message to a caseworker or a team, who may then see it. */
export function assign(store: Store, request: ChangeRequest, { kind, id }: Assignee): Promise<ChangeAnswer> {
  return changeMessage(store, request, 'assigned', {
    set: Prisma.sql`assignee_kind = ${kind}, assignee_id = ${id}`,
    details: { assigneeKind: kind, assigneeId: id },
  });
}

/** Removes the assignment. The assignee may always do so; others need a role that may assign. */
export function unassign(store: Store, request: ChangeRequest): Promise<ChangeAnswer> {
  return changeMessage(store, request, 'unassigned', {
    ...mayUnassign(request),
    set: Prisma.sql`assignee_kind = NULL, assignee_id = NULL`,
  });
}

function mayUnassign({ principal }: ChangeRequest): Pick<ChangeEffects, 'isAllowed'> {
  const { roles } = ATTRIBUTE_CHANGES.assigned;
  if (roles.some((role) => principal.roles.has(role))) return {};
  const otherwise = () =>
    new Problem('role-missing', `Only the assignee may hand it back without the role ${roles.join(' or ')}.`);
  return { isAllowed: { condition: assignedTo(principal), otherwise } };
}
