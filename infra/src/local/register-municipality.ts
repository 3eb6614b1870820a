import { contactPointIdOf } from '@indbakke/shared/ids';
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
  readonly contactPoints: readonly { readonly id: string; readonly name: string }[];
}

export interface StoredMunicipality {
  readonly cvr: string;
  readonly name: string;
  readonly takesReplies: boolean;
  readonly takesEnquiries: boolean;
  /** How many. */
  readonly contactPoints: number;
}

/**
 * Adds a municipality, whose messages are accepted from then on, or changes one. Contact points are added or renamed, never
 * removed.
 *
 * @param ownerUrl the login that owns the tables; the services may not do this
 * @returns the municipality as stored
 * @throws Error when it is new and has no name
 */
export async function registerMunicipality(
  ownerUrl: string,
  registration: MunicipalityRegistration,
): Promise<StoredMunicipality> {
  const { cvr, name, takesReplies, takesEnquiries, contactPoints } = registration;
  const client = new pg.Client({ connectionString: ownerUrl, application_name: 'indbakke-set-up' });
  await client.connect();
  try {
    await client.query('BEGIN');
    const { rows } = await client.query<Omit<StoredMunicipality, 'contactPoints'>>(
      `INSERT INTO municipalities AS known (cvr, name, takes_replies, takes_enquiries)
       SELECT $1, named.name, coalesce($3, true), coalesce($4, true)
       FROM (SELECT coalesce($2, (SELECT name FROM municipalities WHERE cvr = $1)) AS name) AS named
       WHERE named.name IS NOT NULL
       ON CONFLICT (cvr) DO UPDATE SET name = coalesce($2, known.name),
         takes_replies = coalesce($3, known.takes_replies), takes_enquiries = coalesce($4, known.takes_enquiries)
       RETURNING cvr, name, takes_replies AS "takesReplies", takes_enquiries AS "takesEnquiries"`,
      [cvr, name, takesReplies, takesEnquiries],
    );
    const [municipality] = rows;
    if (!municipality) throw new Error(`There is no municipality ${cvr} yet. A new one needs a name.`);
    for (const point of contactPoints) {
      await client.query(
        `INSERT INTO contact_points (municipality, contact_point_id, name) VALUES ($1, $2, $3)
         ON CONFLICT (municipality, contact_point_id) DO UPDATE SET name = $3`,
        [cvr, contactPointIdOf(point.id), point.name],
      );
    }
    const counted = await client.query<{ count: number }>(
      'SELECT count(*)::integer AS count FROM contact_points WHERE municipality = $1',
      [cvr],
    );
    await client.query('COMMIT');
    return { ...municipality, contactPoints: counted.rows[0]?.count ?? 0 };
  } finally {
    await client.end();
  }
}
