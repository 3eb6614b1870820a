import { insertAudit, OWNER } from '@indbakke/shared/audit';
import { currentTime } from '@indbakke/shared/clock';
import { type Connection, Prisma, run } from '@indbakke/shared/store';

const { sql } = Prisma;

/** A training municipality, as its owner sees it. */
export interface Training {
  readonly name: string;
  /** When it was made or last reset. */
  readonly since: Date;
  /** Whether its mail is still being removed. */
  readonly isResetDue: boolean;
  /** Messages that are not deleted. */
  readonly messages: number;
  readonly contactPoints: readonly TrainingPoint[];
}

export interface TrainingPoint {
  readonly id: string;
  readonly isConcern: boolean;
}

/**
 * @param connection of the owner of the tables
 * @throws Error when there is no such municipality, or its mail may be real
 */
export async function readTraining(connection: Connection, cvr: string): Promise<Training> {
  const [found] = await run<Training & { isTraining: boolean }>(
    connection,
    sql`
      SELECT name, is_training AS "isTraining", training_since AS since, reset_due AS "isResetDue",
        (SELECT count(*)::int FROM messages WHERE municipality = cvr AND status <> 'deleted') AS messages,
        (SELECT coalesce(json_agg(json_build_object('id', contact_point_id, 'isConcern', is_concern) ORDER BY name, contact_point_id), '[]')
         FROM contact_points
         WHERE municipality = cvr AND removed_at IS NULL AND is_active AND purpose <> 'replies') AS "contactPoints"
      FROM municipalities WHERE cvr = ${cvr}`,
  );
  if (!found) throw new Error(`There is no municipality ${cvr}. Set it up with a file that has training: true.`);
  if (!found.isTraining) {
    throw new Error(`${cvr} is no training municipality: its mail may be real, and nothing is put into it or removed.`);
  }
  return found;
}

/**
 * Has all mail of a training municipality removed: the archiver does it.
 *
 * @param connection of the owner of the tables
 * @throws Error when there is no such municipality, or its mail may be real
 */
export async function requestReset(connection: Connection, cvr: string): Promise<void> {
  await readTraining(connection, cvr);
  await run(
    connection,
    sql`
      WITH asked AS (
        UPDATE municipalities SET reset_due = true WHERE cvr = ${cvr} AND is_training AND NOT reset_due RETURNING 1
      ) ${insertAudit({ by: { municipality: cvr, actor: OWNER }, at: currentTime(), action: 'training-reset' })} FROM asked`,
  );
}
