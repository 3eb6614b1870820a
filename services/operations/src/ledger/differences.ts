import { INSTALLATION } from '@indbakke/shared/audit';
import type { Parts } from '@indbakke/shared/service';

/** What can be otherwise than the ledger says. */
export const KINDS = {
  gone: 'was received, and its row has gone without a tombstone',
  'not-counted': 'has a row of a day whose line does not have it',
  altered: 'has another external id, or another day of receipt, than it was counted with',
  incomplete: 'lacks rows that belong to it, or has some although it is deleted',
  'content-missing': 'has no content where its row says',
  'content-damaged': 'has content that is not what was received',
  'key-missing': 'has content under a master key that the key file lacks',
  'line-forged': 'is a file of the ledger that is not as it was written',
  'line-missing': 'is a file of the ledger that has gone, or a line that no file has',
  restored: 'is another database than the ledger was written for, or an older state of it',
} as const;
export type Kind = keyof typeof KINDS;

export interface Difference {
  /** CVR number, or INSTALLATION. */
  readonly municipality: string;
  readonly kind: Kind;
  /** Id of the message; of the ledger itself, what it is about. */
  readonly subject: string;
  readonly day?: string | undefined;
  readonly externalId?: string | undefined;
}

type Recorder = Pick<Parts, 'store' | 'log'>;

/** Records what is different, and logs what was not known before. Ids only. */
export async function recordDifferences({ store, log }: Recorder, differences: readonly Difference[]): Promise<void> {
  if (differences.length === 0) return;
  const column = (name: keyof Difference) => differences.map((difference) => difference[name] ?? null);
  const recorded = await store.sweep<Difference & { isNew: boolean }>(
    `INSERT INTO ledger_differences AS d (municipality, kind, subject, day, external_id, found_at, seen_at)
     SELECT DISTINCT ON (1, 2, 3) *, now(), now()
     FROM unnest($1::text[], $2::text[], $3::text[], $4::date[], $5::text[]) AS given (municipality, kind, subject, day, external_id)
     ON CONFLICT (municipality, kind, subject) DO UPDATE SET seen_at = now()
     RETURNING municipality, kind, subject, day::text, external_id AS "externalId", found_at = seen_at AS "isNew"`,
    [column('municipality'), column('kind'), column('subject'), column('day'), column('externalId')],
  );
  for (const { isNew, ...difference } of recorded) if (isNew) log.error('ledger-difference', { ...difference });
}

/** Removes what is no longer different: of a day, what was not seen since its check began. */
export async function forgetDifferences(
  { store }: Pick<Parts, 'store'>,
  { municipality, day }: { readonly municipality: string; readonly day: string },
  seenBefore: Date,
): Promise<void> {
  await store.sweep('DELETE FROM ledger_differences WHERE municipality = $1 AND day = $2::date AND seen_at < $3', [
    municipality,
    day,
    seenBefore,
  ]);
}

/** Of the ledger itself: records these of a kind, and removes the others. */
export async function replaceLedgerDifferences(
  parts: Recorder,
  kind: Kind,
  subjects: readonly string[],
): Promise<void> {
  await parts.store.sweep(
    'DELETE FROM ledger_differences WHERE municipality = $1 AND kind = $2 AND NOT subject = ANY ($3)',
    [INSTALLATION, kind, subjects],
  );
  await recordDifferences(
    parts,
    subjects.map((subject) => ({ municipality: INSTALLATION, kind, subject })),
  );
}

export interface FoundDifference extends Difference {
  readonly foundAt: Date;
  readonly acceptedAt: Date | null;
}

/** Those that nobody has accepted, oldest first. */
export function readDifferences({ store }: Pick<Parts, 'store'>, most = 1_000): Promise<FoundDifference[]> {
  return store.sweep<FoundDifference>(
    `SELECT municipality, kind, subject, day::text, external_id AS "externalId", found_at AS "foundAt", accepted_at AS "acceptedAt"
     FROM ledger_differences WHERE accepted_at IS NULL ORDER BY found_at, municipality, kind, subject LIMIT $1`,
    [most],
  );
}

/** How many there are that nobody has accepted, by kind. */
export async function countDifferences({ store }: Pick<Parts, 'store'>): Promise<Record<Kind, number>> {
  const counts = await store.sweep<{ kind: Kind; count: number }>(
    'SELECT kind, count(*)::int FROM ledger_differences WHERE accepted_at IS NULL GROUP BY kind',
  );
  const found = new Map(counts.map(({ kind, count }) => [kind, count]));
  return Object.fromEntries(Object.keys(KINDS).map((kind) => [kind, found.get(kind as Kind) ?? 0])) as Record<
    Kind,
    number
  >;
}

/** Seconds since the last line was made, and since the content of some day was compared; null when there is no day. */
export interface LedgerAges {
  readonly made: number | null;
  readonly unread: number | null;
}

export async function readAges({ store }: Pick<Parts, 'store'>): Promise<LedgerAges> {
  const [ages] = await store.sweep<LedgerAges>(
    `SELECT extract(epoch FROM now() - max(made_at))::float8 AS made,
       extract(epoch FROM now() - min(coalesce(checked_at, made_at)))::float8 AS unread
     FROM ledger_days`,
  );
  return ages as LedgerAges;
}
