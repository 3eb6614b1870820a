import { type Principal, visibleTo } from '@indbakke/shared/access';
import type { HandoverAnswer, HandoverList, HandoverQuery } from '@indbakke/shared/api';
import { insertAudit } from '@indbakke/shared/audit';
import { handoverFacts, shapeHandover } from '@indbakke/shared/inbox';
import type { Parts } from '@indbakke/shared/service';
import { Prisma, run } from '@indbakke/shared/store';
import { offeredBy, offeredTo } from './offers.js';

const { sql } = Prisma;

/** Offers that the caller sees, newest first; recorded in the audit log. */
export async function listHandovers(
  { store }: Pick<Parts, 'store'>,
  principal: Principal,
  { direction, status, limit, cursor }: HandoverQuery,
  at: Date,
): Promise<HandoverList> {
  const { municipality } = principal;
  const isIn = direction === 'in';
  // What was taken is a message here, which may be restricted, about to be destroyed, or deleted by now.
  const isNotHidden = sql`(h.taken_message_id IS NULL
    OR EXISTS (SELECT FROM messages m WHERE m.id = h.taken_message_id AND ${visibleTo(principal)}))`;
  return store.withTenantConnection(municipality, async (connection) => {
    const rows = await run<{ handover: HandoverAnswer }>(
      connection,
      sql`
        SELECT json_build_object(${handoverFacts(municipality)}, 'messageId', ${isIn ? sql`h.taken_message_id` : sql`h.message_id`},
          'kind', h.kind, 'letterAt', h.letter_at, 'replyBy', h.reply_by, 'isConcern', h.is_concern, 'fileCount', h.file_count,
          'attachmentCount', h.attachment_count, 'contentSize', h.content_size) AS handover
        FROM handovers h
        WHERE ${isIn ? sql`${offeredTo(principal)} AND ${isNotHidden}` : offeredBy(principal)} AND h.status = coalesce(${status ?? null}, h.status)
          AND (${cursor ?? null}::uuid IS NULL OR h.id < ${cursor ?? null}::uuid)
        ORDER BY h.id DESC LIMIT ${limit + 1}::int`,
    );
    const items = rows.slice(0, limit).map(({ handover }) => shape(handover));
    const details = { direction, shown: items.length };
    await run(connection, insertAudit({ by: principal, at, action: 'handovers-listed', details }));
    return { items, nextCursor: rows.length > limit ? (items.at(-1)?.handoverId ?? null) : null };
  });
}

function shape(handover: HandoverAnswer): HandoverAnswer {
  const { letterAt, replyBy } = handover;
  return {
    ...shapeHandover(handover),
    letterAt: new Date(letterAt).toISOString(),
    replyBy: replyBy === null ? null : new Date(replyBy).toISOString(),
  };
}
