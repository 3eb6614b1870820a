import { Problem } from '../errors/index.js';
import { Prisma } from '../store/index.js';

/**
 * Called before anything is made that needs no row of the municipality, and could be made for one that is not set up here.
 *
 * @param query runs a statement in the transaction that makes it
 * @throws Problem not-found for a token of an unknown municipality
 */
export async function requireMunicipality(
  query: (statement: Prisma.Sql) => Promise<readonly object[]>,
  municipality: string,
): Promise<void> {
  const known = await query(Prisma.sql`SELECT 1 FROM municipalities WHERE cvr = ${municipality}`);
  if (known.length === 0) throw noSuchMunicipality();
}

export function noSuchMunicipality(): Problem {
  return new Problem('not-found', 'The municipality of the token is not set up here.');
}
