import { contactPointIdOf } from '@indbakke/shared/ids';
import type { Connection } from '@indbakke/shared/store';
import type { MunicipalitySettings } from './decide.js';

interface Row {
  takes_replies: boolean;
  takes_enquiries: boolean;
  late_after_days: number;
  contact_point_ids: string[];
  concern_ids: string[];
}

/** Undefined for a municipality that is not set up. */
export async function loadMunicipality(connection: Connection, cvr: string): Promise<MunicipalitySettings | undefined> {
  const { rows } = await connection.query<Row>({
    name: 'load-municipality',
    text: `SELECT takes_replies, takes_enquiries, late_after_days,
             ARRAY(SELECT contact_point_id FROM contact_points WHERE municipality = $1) AS contact_point_ids,
             ARRAY(SELECT contact_point_id FROM contact_points WHERE municipality = $1 AND is_concern) AS concern_ids
           FROM municipalities WHERE cvr = $1`,
    values: [cvr],
  });
  const [row] = rows;
  return (
    row && {
      takesReplies: row.takes_replies,
      takesEnquiries: row.takes_enquiries,
      lateAfterDays: row.late_after_days,
      contactPointIds: new Set(row.contact_point_ids.map(contactPointIdOf)),
      concernContactPointIds: new Set(row.concern_ids.map(contactPointIdOf)),
    }
  );
}
