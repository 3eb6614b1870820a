import { Prisma } from '../store/index.js';

// Intake holds this lock, shared, from reading the set-up of a municipality until its rows are committed; a change of the set-up holds
// it exclusively. So each message is either committed before a change, where the release of held messages finds it, or decided by it.

/** Taken by intake before it reads the set-up. @param municipality its CVR number, in SQL */
export const shareSetUp = (municipality: string) =>
  `pg_advisory_xact_lock_shared(hashtextextended('set-up ' || ${municipality}, 0))`;

/** What is locked of an external id, which is unique per municipality and channel. */
export function lockedIdOf(municipality: string, channel: string, externalId: string): string {
  return `${municipality} ${channel} ${externalId}`;
}

/** Taken, like the one of the set-up before it, by whoever stores a message: so that of two with the same id the later one sees the earlier. */
export function lockId(municipality: string, channel: string, externalId: string): Prisma.Sql {
  return Prisma.sql`
    WITH locked AS MATERIALIZED (
      SELECT pg_advisory_xact_lock(hashtextextended(${lockedIdOf(municipality, channel, externalId)}, 0)))
    SELECT count(*), clock_timestamp() AS at FROM locked`;
}

/** Taken before any row of the municipality or of its contact points is changed. */
export function lockSetUp(municipality: string): Prisma.Sql {
  return Prisma.sql`SELECT pg_advisory_xact_lock(hashtextextended('set-up ' || ${municipality}, 0))`;
}
