import { Problem } from '@indbakke/shared/errors';
import type pg from 'pg';
import type { MunicipalitySettings } from './decide.js';

interface Row {
  takes_replies: boolean;
  takes_enquiries: boolean;
  contact_point_ids: string[];
}

/** @throws Problem not-our-recipient when the municipality does not have its mail taken in here */
export async function loadMunicipality(connection: pg.PoolClient, cvr: string): Promise<MunicipalitySettings> {
  const { rows } = await connection.query<Row>({
    name: 'load-municipality',
    text: `SELECT takes_replies, takes_enquiries,
                    ARRAY(SELECT contact_point_id FROM contact_points WHERE municipality = $1) AS contact_point_ids
             FROM municipalities WHERE cvr = $1`,
    values: [cvr],
  });
  const [row] = rows;
  if (!row) {
    throw new Problem('not-our-recipient', 'The message is addressed to an authority that is not known here.', {
      path: 'Message/MessageHeader/Recipient/recipientID',
    });
  }
  return {
    takesReplies: row.takes_replies,
    takesEnquiries: row.takes_enquiries,
    contactPointIds: new Set(row.contact_point_ids.map((id) => id.toLowerCase())),
  };
}
