import type { ChangeAnswer } from '@indbakke/shared/api';
import { Problem } from '@indbakke/shared/errors';
import { changeMessage } from '@indbakke/shared/inbox';
import { type Assignee, ATTRIBUTE_CHANGES, type ChangeRequest } from '@indbakke/shared/lifecycle';
import type { Store, Tx } from '@indbakke/shared/store';

/** Assigns a message to a caseworker or a team, who may then see it. */
export function assign(store: Store, request: ChangeRequest, { kind, id }: Assignee): Promise<ChangeAnswer> {
  const columns = { assigneeKind: kind, assigneeId: id };
  return changeMessage(store, request, 'assigned', { set: columns, details: columns });
}

/** Removes the assignment. The assignee may always do so; others need a role that may assign. */
export function unassign(store: Store, request: ChangeRequest): Promise<ChangeAnswer> {
  return changeMessage(store, request, 'unassigned', {
    check: (tx) => requireAssignee(tx, request),
    set: { assigneeKind: null, assigneeId: null },
  });
}

async function requireAssignee(tx: Tx, { principal, id }: ChangeRequest): Promise<void> {
  const { roles } = ATTRIBUTE_CHANGES.assigned;
  if (roles.some((role) => principal.roles.has(role))) return;
  const { assigneeKind, assigneeId } = await tx.message.findUniqueOrThrow({
    where: { id },
    select: { assigneeKind: true, assigneeId: true },
  });
  const isAssignee =
    assigneeKind === 'user' ? assigneeId === principal.actor.id : principal.teams.includes(assigneeId ?? '');
  if (isAssignee) return;
  throw new Problem('role-missing', `Only the assignee may hand it back without the role ${roles.join(' or ')}.`);
}
