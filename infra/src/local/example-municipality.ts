import pg from 'pg';
import type { MunicipalityRegistration } from './register-municipality.js';

/** The municipality that every local stack has. No authority has this CVR number. */
export const EXAMPLE_MUNICIPALITY = {
  cvr: '22222222',
  name: 'Eksempel Kommune',
  contactPoints: [{ id: '241d39f6-998e-4929-b198-ccacbbf4b330', name: 'Børn og familie' }],
} satisfies MunicipalityRegistration;

/** A case of it, so that messages can be journalized in a new stack before a core has registered any. */
export const EXAMPLE_CASE = 'BF-1';

/** Registers the case; if the core has changed it since, it stays so. */
export async function registerExampleCase(ownerUrl: string): Promise<void> {
  const client = new pg.Client({ connectionString: ownerUrl, application_name: 'indbakke-set-up' });
  await client.connect();
  try {
    await client.query(
      `INSERT INTO cases (municipality, case_id, status) VALUES ($1, $2, 'open') ON CONFLICT DO NOTHING`,
      [EXAMPLE_MUNICIPALITY.cvr, EXAMPLE_CASE],
    );
  } finally {
    await client.end();
  }
}
