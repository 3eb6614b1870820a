import { contactPointIdOf } from '@indbakke/shared/ids';
import { lockSetUp } from '@indbakke/shared/lifecycle';
import pg from 'pg';

export interface MunicipalityRegistration {
  /** CVR number, eight digits. */
  readonly cvr: string;
  /** Undefined = unchanged; a new municipality needs a name. */
  readonly name?: string | undefined;
  /** Whether replies go to the inbox at once; undefined = unchanged, true for a new one. */
  readonly takesReplies?: boolean | undefined;
  /** The same for enquiries and forwarded messages. */
  readonly takesEnquiries?: boolean | undefined;
  /** A message is late when its own date is more days older than its receipt; undefined = unchanged, 3 for a new one. */
  readonly lateAfterDays?: number | undefined;
  readonly contactPoints: readonly ContactPointRegistration[];
}

export interface ContactPointRegistration {
  readonly id: string;
  /** Undefined = unchanged; a new one needs a name. */
  readonly name?: string | undefined;
  /** Whether its messages are marked as possible reports of concern; undefined = unchanged, false for a new one. */
  readonly isConcern?: boolean | undefined;
}

export interface StoredMunicipality {
  readonly cvr: string;
  readonly name: string;
  readonly takesReplies: boolean;
  readonly takesEnquiries: boolean;
  readonly lateAfterDays: number;
  /** How many. */
  readonly contactPoints: number;
  readonly concernContactPoints: number;
}

/**
 * Adds a municipality, whose messages are accepted from then on, or changes one. Contact points are added or renamed, never
 * removed. Held messages whose cause it removes are released.
 *
 * @param ownerUrl the login that owns the tables; the services may not do this
 * @returns the municipality as stored
 * @throws Error when it, or a contact point, is new and has no name; nothing is changed then
 */
export async function registerMunicipality(
  ownerUrl: string,
  registration: MunicipalityRegistration,
): Promise<StoredMunicipality> {
  const { cvr, name, takesReplies, takesEnquiries, lateAfterDays, contactPoints } = registration;
  const client = new pg.Client({ connectionString: ownerUrl, application_name: 'indbakke-set-up' });
  await client.connect();
  try {
    await client.query('BEGIN');
    const lock = lockSetUp(cvr);
    await client.query(lock.text, lock.values);
    const { rowCount } = await client.query(
      `INSERT INTO municipalities AS known (cvr, name, takes_replies, takes_enquiries, late_after_days)
       SELECT $1, named.name, coalesce($3, true), coalesce($4, true), coalesce($5, 3)
       FROM (SELECT coalesce($2, (SELECT name FROM municipalities WHERE cvr = $1)) AS name) AS named
       WHERE named.name IS NOT NULL
       ON CONFLICT (cvr) DO UPDATE SET name = coalesce($2, known.name),
         takes_replies = coalesce($3, known.takes_replies), takes_enquiries = coalesce($4, known.takes_enquiries),
         late_after_days = coalesce($5, known.late_after_days), version = known.version + 1, release_due = gen_random_uuid()`,
      [cvr, name, takesReplies, takesEnquiries, lateAfterDays],
    );
    if (rowCount === 0) throw new Error(`There is no municipality ${cvr} yet. A new one needs a name.`);
    for (const point of contactPoints) await registerContactPoint(client, cvr, point);
    const { rows } = await client.query<StoredMunicipality>(
      `SELECT cvr, m.name, takes_replies AS "takesReplies", takes_enquiries AS "takesEnquiries",
         late_after_days AS "lateAfterDays", count(contact_point_id)::integer AS "contactPoints",
         (count(*) FILTER (WHERE is_concern))::integer AS "concernContactPoints"
       FROM municipalities m LEFT JOIN contact_points ON municipality = cvr WHERE cvr = $1 GROUP BY cvr`,
      [cvr],
    );
    await client.query('COMMIT');
    return rows[0] as StoredMunicipality;
  } finally {
    await client.end();
  }
}

async function registerContactPoint(
  client: pg.Client,
  cvr: string,
  { id, name, isConcern }: ContactPointRegistration,
): Promise<void> {
  const { rowCount } = await client.query(
    `INSERT INTO contact_points AS known (municipality, contact_point_id, name, is_concern)
     SELECT $1, $2, named.name, coalesce($4, false)
     FROM (SELECT coalesce($3, (SELECT name FROM contact_points WHERE municipality = $1 AND contact_point_id = $2)) AS name)
       AS named
     WHERE named.name IS NOT NULL
     ON CONFLICT (municipality, contact_point_id) DO UPDATE SET name = coalesce($3, known.name),
       is_concern = coalesce($4, known.is_concern), removed_at = NULL, version = known.version + 1`,
    [cvr, contactPointIdOf(id), name, isConcern],
  );
  if (rowCount === 0) throw new Error(`Municipality ${cvr} has no contact point ${id} yet. A new one needs a name.`);
}
