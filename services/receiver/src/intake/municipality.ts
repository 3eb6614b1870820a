import { contactPointIdOf } from '@indbakke/shared/ids';
import type { Connection } from '@indbakke/shared/store';
import type { MunicipalitySettings } from './decide.js';

interface Row {
  takes_replies: boolean;
  takes_enquiries: boolean;
  contact_point_ids: string[];
}

/** Undefined for a municipality that is not set up. */
export async function loadMunicipality(connection: Connection, cvr: string): Promise<MunicipalitySettings | undefined> {
  const { rows } = await connection.query<Row>({
    name: 'load-municipality',
    text: `SELECT takes_replies, takes_enquiries,
             ARRAY(SELECT contact_point_id FROM contact_points WHERE municipality = $1) AS contact_point_ids
           FROM municipalities WHERE cvr = $1`,
    values: [cvr],
  });
  const [row] = rows;
  return (
    row && {
      takesReplies: row.takes_replies,
      takesEnquiries: row.takes_enquiries,
      contactPointIds: new Set(row.contact_point_ids.map(contactPointIdOf)),
    }
  );
}
