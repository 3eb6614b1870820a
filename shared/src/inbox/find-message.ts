import { type Principal, visibleTo } from '../access/index.js';
import { Problem } from '../errors/index.js';
import type { Prisma, Tx } from '../store/index.js';

/** The rows of a message that the API's answers need. */
export const WHOLE_MESSAGE = {
  details: true,
  key: true,
  suggestedCase: true,
  documents: { orderBy: { position: 'asc' }, include: { files: { orderBy: { position: 'asc' } } } },
  journalizations: { orderBy: { at: 'asc' } },
} as const satisfies Prisma.MessageInclude;

export type WholeMessage = Prisma.MessageGetPayload<{ include: typeof WHOLE_MESSAGE }>;

/**
 * The message with this id, if the caller sees it.
 *
 * @throws Problem not-found: it does not exist, is another municipality’s, is not visible to the caller, or is deleted
 */
export async function findMessage(tx: Tx, principal: Principal, id: string): Promise<WholeMessage> {
  const message = await tx.message.findFirst({ where: { id, AND: visibleTo(principal) }, include: WHOLE_MESSAGE });
  if (!message) throw notFound();
  return message;
}

/** The same check without reading the message, for changes. */
export async function requireVisible(tx: Tx, principal: Principal, id: string): Promise<void> {
  const message = await tx.message.findFirst({ where: { id, AND: visibleTo(principal) }, select: { id: true } });
  if (!message) throw notFound();
}

function notFound(): Problem {
  return new Problem('not-found', 'There is no such message, or the caller may not see it.');
}
