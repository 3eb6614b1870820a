import type { Prisma } from '../store/index.js';
import type { Principal } from './tokens.js';

/**
 * What the caller sees of the municipality’s messages, as a condition that every query of messages carries.
 *
 * - Læs: assigned to the caller or the caller’s teams, or suggested for a case of the caller’s; SeAlle: all of it.
 * - Held mail is for Opsætning and Drift only, who see nothing else unless they hold Læs too.
 * - A tombstone is in nobody’s inbox.
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

// Not OR with nothing in it: inside an AND, Prisma takes that for no condition at all.
const NOTHING: Prisma.MessageWhereInput = { id: { in: [] } };
