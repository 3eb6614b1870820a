import type { StepAnswer } from '@indbakke/shared/api';
import { recordAudit } from '@indbakke/shared/audit';
import { Problem } from '@indbakke/shared/errors';
import { findMessage, requireVisible } from '@indbakke/shared/inbox';
import { lockMessage, recordChange, type StepRequest } from '@indbakke/shared/lifecycle';
import type { Store, Tx } from '@indbakke/shared/store';

export interface Assignee {
  readonly kind: 'user' | 'team';
  readonly id: string;
}

/** Gives a message to a caseworker or a team. It is then theirs to see. */
export async function assign(store: Store, step: StepRequest, assignee: Assignee): Promise<StepAnswer> {
  return store.withTenant(step.principal.municipality, async (tx) => {
    await requireVisible(tx, step.principal, step.id);
    return setAssignee(tx, step, assignee);
  });
}

/** Takes the assignment away. Whoever holds it may hand it back; for others it takes the role Tildel. */
export async function unassign(store: Store, step: StepRequest): Promise<StepAnswer> {
  const { principal } = step;
  return store.withTenant(principal.municipality, async (tx) => {
    const { assigneeKind, assigneeId } = await findMessage(tx, principal, step.id);
    const isAssignee =
      assigneeKind === 'user' ? assigneeId === principal.actor.id : principal.teams.includes(assigneeId ?? '');
    if (!isAssignee && !principal.roles.has('IndkomneDokumenter.Tildel')) {
      throw new Problem(
        'role-missing',
        'Only the assignee may hand it back without the role IndkomneDokumenter.Tildel.',
      );
    }
    return setAssignee(tx, step, null);
  });
}

async function setAssignee(tx: Tx, step: StepRequest, assignee: Assignee | null): Promise<StepAnswer> {
  const { principal, id, expectedVersion, at } = step;
  const { municipality, actor } = principal;
  const { status, version: before } = await lockMessage(tx, id, expectedVersion);
  if (status !== 'pending' && status !== 'held') {
    throw new Problem('wrong-status', `The message is ${status}; only one that is pending or held can be assigned.`);
  }
  const version = before + 1;
  const type = assignee ? 'assigned' : 'unassigned';
  await tx.message.update({
    where: { id },
    data: { assigneeKind: assignee?.kind ?? null, assigneeId: assignee?.id ?? null, version },
  });
  await recordChange(tx, { municipality, messageId: id, type, status, version, at });
  await recordAudit(tx, {
    municipality,
    actor,
    at,
    action: type,
    messageId: id,
    ...(assignee && { details: { assigneeKind: assignee.kind, assigneeId: assignee.id } }),
  });
  return { id, status, version };
}
