import pg from 'pg';
import { type MunicipalityRegistration, registerMunicipality } from './register-municipality.js';

/** The municipality that every local stack has. No authority has this CVR number. */
export const EXAMPLE_MUNICIPALITY = {
  cvr: '22222222',
  name: 'Eksempel Kommune',
  contactPoints: [{ id: '241d39f6-998e-4929-b198-ccacbbf4b330', name: 'Børn og familie' }],
} satisfies MunicipalityRegistration;

/** A case of it, so that messages can be journalized in a new stack before a core has registered any. */
export const EXAMPLE_CASE = 'BF-1';

/** Registers both where they are not; whatever has been changed since stays so. */
export async function registerExample(ownerUrl: string): Promise<void> {
  const client = new pg.Client({ connectionString: ownerUrl, application_name: 'indbakke-set-up' });
  await client.connect();
  try {
    const { rowCount } = await client.query('SELECT FROM municipalities WHERE cvr = $1', [EXAMPLE_MUNICIPALITY.cvr]);
    if (rowCount === 0) await registerMunicipality(ownerUrl, EXAMPLE_MUNICIPALITY);
    await client.query(
      `INSERT INTO cases (municipality, case_id, status) VALUES ($1, $2, 'open') ON CONFLICT DO NOTHING`,
      [EXAMPLE_MUNICIPALITY.cvr, EXAMPLE_CASE],
    );
  } finally {
    await client.end();
  }
}
