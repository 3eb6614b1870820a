import { INDBAKKE } from '@indbakke/shared/audit';
import { Problem } from '@indbakke/shared/errors';
import type { Parts } from '@indbakke/shared/service';
import { Prisma } from '@indbakke/shared/store';
import { changeOffered, endOffer, recordAtOther } from './offers.js';

const { sql } = Prisma;

const BATCH = 100;

interface Due {
  readonly id: string;
  readonly from: string;
  readonly messageId: string;
  readonly isPending: boolean;
}

/** Ends the offers that have expired, and those of messages that were handled otherwise. @returns how many there were */
export async function endDueOffers({ store }: Pick<Parts, 'store'>, now: Date): Promise<number> {
  const due = await store.sweep<Due & Record<string, unknown>>(
    `SELECT h.id, h.from_municipality AS "from", h.message_id AS "messageId", m.status = 'pending' AS "isPending"
     FROM handovers h JOIN messages m ON m.id = h.message_id
     WHERE h.status = 'open' AND (h.expires_at <= $1 OR m.status <> 'pending') ORDER BY h.expires_at LIMIT $2`,
    [now, BATCH],
  );
  for (const offer of due) await endOne({ store }, offer, now);
  return due.length;
}

/** Returns quietly when somebody else has ended it. */
async function endOne(
  { store }: Pick<Parts, 'store'>,
  { id, from, messageId, isPending }: Due,
  at: Date,
): Promise<void> {
  const status = isPending ? 'expired' : 'void';
  try {
    await store.withTenantConnection(from, async (connection) => {
      if (isPending) await changeOffered(connection, { from, messageId }, at, 'handover-expired', { handoverId: id });
      const { to } = await endOffer(connection, sql`id = ${id}::uuid`, { status, at, by: INDBAKKE.id });
      await recordAtOther(connection, to, at, 'handover-lapsed', { handoverId: id, from, how: status });
    });
  } catch (error) {
    if (!(error instanceof Problem) || error.code !== 'handover-ended') throw error;
  }
}
