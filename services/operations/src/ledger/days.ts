import { INSTALLATION, recordAudit } from '@indbakke/shared/audit';
import { currentTime } from '@indbakke/shared/clock';
import type { Parts } from '@indbakke/shared/service';
import { DUE_DAY, type DueDay } from './check-day.js';
import type { Fates } from './lines.js';

export interface CountedDay extends DueDay {
  readonly received: number;
  readonly fates: Fates;
  readonly madeAt: Date;
  readonly checkedAt: Date | null;
}

/** Days that have a line, in order. */
export function readDays(
  { store }: Pick<Parts, 'store'>,
  { day, municipality }: { readonly day?: string | undefined; readonly municipality?: string | undefined },
): Promise<CountedDay[]> {
  return store.sweep<CountedDay>(
    `SELECT ${DUE_DAY}, received, fates, made_at AS "madeAt", checked_at AS "checkedAt" FROM ledger_days
     WHERE ($1::date IS NULL OR day = $1::date) AND ($2::text IS NULL OR municipality = $2) ORDER BY day, municipality`,
    [day ?? null, municipality ?? null],
  );
}

/**
 * Accepts what is different, so that it alarms no longer: of a day of a municipality, of a municipality, or of the ledger itself.
 *
 * @returns how many there were
 */
export async function acceptDifferences(
  { store }: Pick<Parts, 'store'>,
  { municipality, day }: { readonly municipality: string; readonly day?: string | undefined },
  by: string,
): Promise<number> {
  const accepted = await store.sweep(
    `UPDATE ledger_differences SET accepted_at = now(), accepted_by = $3
     WHERE municipality = $1 AND ($2::date IS NULL OR day = $2::date) AND accepted_at IS NULL RETURNING 1`,
    [municipality, day ?? null, by],
  );
  if (accepted.length > 0)
    await recordAudit(store, {
      by: { municipality: INSTALLATION, actor: { kind: 'system', id: by } },
      at: currentTime(),
      action: 'ledger-accepted',
      details: { of: municipality, count: accepted.length, ...(day && { day }) },
    });
  return accepted.length;
}

/** Ids of messages of which a difference is accepted. */
export async function readAccepted({ store }: Pick<Parts, 'store'>): Promise<Set<string>> {
  const rows = await store.sweep<{ subject: string }>(
    'SELECT subject FROM ledger_differences WHERE accepted_at IS NOT NULL',
  );
  return new Set(rows.map(({ subject }) => subject));
}
