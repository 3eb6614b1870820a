import { Prisma } from '../store/index.js';

// Intake holds this lock, shared, from reading the set-up of a municipality until its rows are committed; a change of the set-up holds
// it exclusively. So each message is either committed before a change, where the release of held messages finds it, or decided by it.

/** Taken by intake before it reads the set-up. @param municipality its CVR number, in SQL */
export const shareSetUp = (municipality: string) =>
  `pg_advisory_xact_lock_shared(hashtextextended('set-up ' || ${municipality}, 0))`;

/** Taken before any row of the municipality or of its contact points is changed. */
export function lockSetUp(municipality: string): Prisma.Sql {
  return Prisma.sql`SELECT pg_advisory_xact_lock(hashtextextended('set-up ' || ${municipality}, 0))`;
}
