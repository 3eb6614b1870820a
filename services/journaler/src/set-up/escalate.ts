import { asSystem } from '@indbakke/shared/access';
import { INDBAKKE } from '@indbakke/shared/audit';
import { currentTime } from '@indbakke/shared/clock';
import { Problem } from '@indbakke/shared/errors';
import { type Assignee, HELD_CAUSES, type HeldCause, writeChange } from '@indbakke/shared/lifecycle';
import { type Parts, tryEach } from '@indbakke/shared/service';
import { Prisma } from '@indbakke/shared/store';

const { sql } = Prisma;

const BATCH = 100;

interface Due {
  readonly id: string;
  readonly municipality: string;
  readonly heldCause: HeldCause;
  readonly escalateTo: Assignee;
}

/**
 * Tells somebody else, once, of each message that is held for longer than its cause allows: by an event and a line in the log. Of
 * a training municipality nobody is told.
 */
export async function escalateHeldMessages({ store, log }: Pick<Parts, 'store' | 'log'>): Promise<void> {
  const due = await store.sweep<Due>(
    `SELECT m.id, m.municipality, m.held_cause AS "heldCause", r.rule->'escalateTo' AS "escalateTo"
     FROM municipalities c, LATERAL jsonb_each(c.held_rules) AS r (cause, rule), LATERAL (
       SELECT id, municipality, held_cause FROM messages
       WHERE municipality = c.cvr AND status = 'held' AND held_cause = r.cause AND escalated_at IS NULL
         AND received_at < now() - make_interval(hours => (r.rule->>'escalateAfterHours')::int)
       ORDER BY received_at LIMIT $1) AS m
     WHERE r.rule->>'escalateAfterHours' IS NOT NULL AND NOT c.is_training LIMIT $1`,
    [BATCH],
  );
  await tryEach(due, async ({ id, municipality, heldCause, escalateTo }) => {
    const at = currentTime();
    const principal = asSystem(municipality, INDBAKKE);
    const details = { heldCause, contactKind: escalateTo.kind, contactId: escalateTo.id };
    await store
      .withTenantConnection(municipality, (connection) =>
        writeChange(
          connection,
          { principal, id, expectedVersion: undefined, at },
          'escalated',
          { set: sql`escalated_at = ${at}::timestamptz`, details },
          {
            isPossible: {
              condition: sql`m.escalated_at IS NULL`,
              otherwise: () => new Problem('wrong-status', 'It is escalated already.'),
            },
          },
        ),
      )
      .then(() => log.warn('held-escalated', { messageId: id, municipality, cause: heldCause }))
      .catch((error: unknown) => {
        if (!(error instanceof Problem)) throw error; // another process was first, or it is not held any more
      });
  });
}

/** Logs for which causes each municipality has named no contact, although their messages are held. */
export async function tellUnnamedCauses({ store, log }: Pick<Parts, 'store' | 'log'>): Promise<void> {
  const municipalities = await store.sweep<{ municipality: string; causes: HeldCause[] }>(
    `SELECT cvr AS municipality, ARRAY(
       SELECT cause FROM unnest($1::text[]) AS cause
       WHERE coalesce(held_rules->cause->>'action', 'hold') = 'hold' AND held_rules->cause->>'contact' IS NULL) AS causes
     FROM municipalities WHERE NOT is_training ORDER BY cvr`,
    [Object.keys(HELD_CAUSES)],
  );
  for (const { municipality, causes } of municipalities) {
    if (causes.length > 0) log.info('nobody-named', { municipality, causes: causes.join(' ') });
  }
}
