import { Prisma } from '../store/index.js';

// Intake decides by how a municipality is set up, and holds this lock, shared, until its rows are committed; who changes the set-up
// holds it alone. So what a change mends was committed before it, where the release of held messages finds it, or is decided by it.

/** Taken by intake before it reads the set-up. @param municipality its CVR number, in SQL */
export const shareSetUp = (municipality: string) =>
  `pg_advisory_xact_lock_shared(hashtextextended('set-up ' || ${municipality}, 0))`;

/** Taken before any row of the municipality or of its contact points is changed. */
export function lockSetUp(municipality: string): Prisma.Sql {
  return Prisma.sql`SELECT pg_advisory_xact_lock(hashtextextended('set-up ' || ${municipality}, 0))`;
}
