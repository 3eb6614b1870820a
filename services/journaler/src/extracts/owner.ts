import { ownerOf, type Principal, rightsOf } from '@indbakke/shared/access';
import { DAY } from '@indbakke/shared/config';
import { Prisma, type Store } from '@indbakke/shared/store';

const { sql } = Prisma;

/** An owner who has not been seen for so long may have lost the right to see anything. */
export const LAPSES_AFTER = 14 * DAY;

/** Keeps the rights that the caller has now: the caller’s extracts run with them. Unchanged, it is written once an hour. */
export async function rememberOwner(store: Store, principal: Principal, at: Date): Promise<void> {
  const { municipality } = principal;
  const { kind, id } = ownerOf(principal);
  const { roles, teams, constraints } = rightsOf(principal);
  const statement = sql`
    INSERT INTO extract_owners AS known (municipality, owner_kind, owner, roles, teams, constraints, seen_at)
    VALUES (${municipality}, ${kind}, ${id}, ${[...roles]}::text[], ${[...teams]}::text[],
      ${JSON.stringify(constraints)}::jsonb, ${at}::timestamptz)
    ON CONFLICT (municipality, owner_kind, owner) DO UPDATE
    SET roles = excluded.roles, teams = excluded.teams, constraints = excluded.constraints, seen_at = excluded.seen_at
    WHERE (known.roles, known.teams, known.constraints) IS DISTINCT FROM (excluded.roles, excluded.teams, excluded.constraints)
      OR known.seen_at < excluded.seen_at - interval '1 hour'`;
  await store.query(municipality, statement, 'kept');
}
