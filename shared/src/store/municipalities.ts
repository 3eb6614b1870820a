import pg from 'pg';

export interface MunicipalityRegistration {
  /** CVR number, eight digits. */
  readonly cvr: string;
  readonly name: string;
  /** Whether replies go to the inbox at once; undefined = as it was, yes for a new one. */
  readonly takesReplies?: boolean | undefined;
  /** The same for enquiries and forwarded letters. */
  readonly takesEnquiries?: boolean | undefined;
  readonly contactPoints: readonly { readonly id: string; readonly name: string }[];
}

/**
 * Makes a municipality known, or changes what is known of it: from then on its mail is taken in. Contact points are added
 * or renamed, never removed.
 *
 * @param ownerUrl the login that migrates; the services may not do this
 */
export async function registerMunicipality(ownerUrl: string, registration: MunicipalityRegistration): Promise<void> {
  const { cvr, name, takesReplies, takesEnquiries, contactPoints } = registration;
  const client = new pg.Client({ connectionString: ownerUrl, application_name: 'indbakke-set-up' });
  await client.connect();
  try {
    await client.query('BEGIN');
    await client.query(
      `INSERT INTO municipalities AS known (cvr, name, takes_replies, takes_enquiries)
       VALUES ($1, $2, coalesce($3, true), coalesce($4, true))
       ON CONFLICT (cvr) DO UPDATE SET name = $2,
         takes_replies = coalesce($3, known.takes_replies), takes_enquiries = coalesce($4, known.takes_enquiries)`,
      [cvr, name, takesReplies, takesEnquiries],
    );
    for (const point of contactPoints) {
      await client.query(
        `INSERT INTO contact_points (municipality, contact_point_id, name) VALUES ($1, $2, $3)
         ON CONFLICT (municipality, contact_point_id) DO UPDATE SET name = $3`,
        [cvr, point.id.toLowerCase(), point.name],
      );
    }
    await client.query('COMMIT');
  } finally {
    await client.end();
  }
}
