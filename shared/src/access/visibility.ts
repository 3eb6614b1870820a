import type { Prisma } from '../store/index.js';
import type { Principal } from './tokens.js';

/**
 * Which of the municipality’s messages the caller sees: a condition for every query of messages.
 *
 * - Læs: those assigned to the caller or the caller’s teams, or suggested for one of the caller’s cases; with SeAlle: all.
 * - Held messages are for Opsætning and Drift only, who see nothing else unless they have Læs too.
 * - Nobody sees a tombstone.
 */
export function visibleTo({ actor, roles, teams }: Principal): Prisma.MessageWhereInput {
  const inbox: Prisma.MessageWhereInput = { status: { in: ['pending', 'journalized'] } };
  const rejected: Prisma.MessageWhereInput = { status: 'rejected', statusBefore: 'pending' };
  const held: Prisma.MessageWhereInput = { OR: [{ status: 'held' }, { status: 'rejected', statusBefore: 'held' }] };
  const own: Prisma.MessageWhereInput = {
    OR: [
      { assigneeKind: 'user', assigneeId: actor.id },
      { assigneeKind: 'team', assigneeId: { in: [...teams] } },
      { suggestedCase: { is: { caseworker: actor.id } } },
    ],
  };

  const seen: Prisma.MessageWhereInput[] = [];
  if (roles.has('IndkomneDokumenter.Læs')) {
    const scope = roles.has('IndkomneDokumenter.SeAlle') ? {} : own;
    seen.push({ AND: [{ OR: [inbox, rejected] }, scope] });
  }
  if (roles.has('Indbakke.Opsætning') || roles.has('Indbakke.Drift')) seen.push(held);
  return seen.length === 0 ? NOTHING : { OR: seen };
}

// Not an empty OR: inside an AND, Prisma ignores that.
const NOTHING: Prisma.MessageWhereInput = { id: { in: [] } };
