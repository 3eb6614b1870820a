import { ownIdOf, type Principal, type Role, requireMunicipality } from '@indbakke/shared/access';
import type { AbsenceAnswer, OPERATIONS } from '@indbakke/shared/api';
import { insertAudit } from '@indbakke/shared/audit';
import { Problem } from '@indbakke/shared/errors';
import type { Call } from '@indbakke/shared/http';
import type { Parts } from '@indbakke/shared/service';
import { Prisma } from '@indbakke/shared/store';

const { sql } = Prisma;

// Substitutes of absent users. What they see is decided where all visibility is (shared/src/access), by the rows written here, so
// a change takes effect at once in all processes.

type AbsenceParts = Pick<Parts, 'store'>;

/** With them, what a substitute sees is nothing that the caller could not see and hand out anyway. */
const OF_OTHERS: readonly Role[] = ['IndkomneDokumenter.Tildel', 'IndkomneDokumenter.SeAlle'];

/**
 * Sets the substitute of a user for a period, in place of the present one.
 *
 * @throws Problem role-missing for another user (OF_OTHERS); bad-request; not-found for an unknown municipality
 */
export async function setAbsence(
  { store }: AbsenceParts,
  { principal, params: { userId }, body, at }: Call<typeof OPERATIONS.setAbsence>,
): Promise<void> {
  requireOwn(principal, userId);
  const { municipality, actor } = principal;
  const { substitute, from = at.toISOString(), until } = body;
  const fault = (path: string, detail: string) => new Problem('bad-request', `${path}: ${detail}.`, { path });
  if (substitute === userId) throw fault('body.substitute', 'must be another user');
  if (until <= from) throw fault('body.until', 'must be after the beginning');
  await requireMunicipality((one) => store.query(municipality, one, 'kept'), municipality);
  const details = { userId, substitute, from, until };
  const statement = sql`
    WITH stored AS (
      INSERT INTO absences AS a (municipality, user_id, substitute, from_at, until_at, set_by)
      VALUES (${municipality}, ${userId}, ${substitute}, ${from}::timestamptz, ${until}::timestamptz, ${actor.id})
      ON CONFLICT (municipality, user_id) DO UPDATE
      SET substitute = excluded.substitute, from_at = excluded.from_at, until_at = excluded.until_at, set_by = excluded.set_by
      RETURNING 1
    ) ${insertAudit({ by: principal, at, action: 'absence-set', details })} FROM stored`;
  await store.query(municipality, statement, 'kept');
}

interface Row extends Pick<AbsenceAnswer, 'userId' | 'substitute' | 'setBy'> {
  readonly from: Date;
  readonly until: Date;
}

/** @throws Problem role-missing for another user (OF_OTHERS); not-found */
export async function readAbsence(
  { store }: AbsenceParts,
  { principal, params: { userId } }: Call<typeof OPERATIONS.getAbsence>,
): Promise<AbsenceAnswer> {
  requireOwn(principal, userId);
  const statement = sql`
    SELECT user_id AS "userId", substitute, from_at AS "from", until_at AS "until", set_by AS "setBy" FROM absences
    WHERE municipality = ${principal.municipality} AND user_id = ${userId}`;
  const [row] = await store.query<Row>(principal.municipality, statement, 'kept');
  if (!row) throw noSuchAbsence();
  return { ...row, from: row.from.toISOString(), until: row.until.toISOString() };
}

/** @throws Problem role-missing for another user (OF_OTHERS); not-found */
export async function removeAbsence(
  { store }: AbsenceParts,
  { principal, params: { userId }, at }: Call<typeof OPERATIONS.removeAbsence>,
): Promise<void> {
  requireOwn(principal, userId);
  const entry = { by: principal, at, action: 'absence-removed', details: { userId } } as const;
  const statement = sql`
    WITH removed AS (
      DELETE FROM absences WHERE municipality = ${principal.municipality} AND user_id = ${userId} RETURNING 1
    ), audit AS (
      ${insertAudit(entry)} FROM removed
    ) SELECT FROM removed`;
  const rows = await store.query(principal.municipality, statement, 'kept');
  if (rows.length === 0) throw noSuchAbsence();
}

function requireOwn({ role, roles, actor }: Principal, userId: string): void {
  if (role === 'Indbakke.System' || ownIdOf(actor) === userId || OF_OTHERS.every((needed) => roles.has(needed))) return;
  throw new Problem(
    'role-missing',
    `Only the caller’s own absence is allowed without the roles ${OF_OTHERS.join(' and ')}.`,
  );
}

function noSuchAbsence(): Problem {
  return new Problem('not-found', 'The user has no substitute.');
}
