import { type AppliedFile, applyMunicipality } from '@indbakke/journaler';
import { MunicipalityFile } from '@indbakke/shared/api';
import type { Connection } from '@indbakke/shared/store';
import pg from 'pg';
import type { z } from 'zod';

/** As in a file of a municipality (infra/municipality.example.yaml). */
export type MunicipalityRegistration = z.input<typeof MunicipalityFile>;

/** Sets a municipality up. @param ownerUrl the login that owns the tables; the services add none */
export function registerMunicipality(ownerUrl: string, registration: MunicipalityRegistration): Promise<AppliedFile> {
  const file = MunicipalityFile.parse(registration);
  return asOwner(ownerUrl, 'COMMIT', (owner) => applyMunicipality(owner, file));
}

/** Runs `work` in a transaction of the owner, and then ends it so. */
export async function asOwner<T>(
  ownerUrl: string,
  end: 'COMMIT' | 'ROLLBACK',
  work: (owner: Connection) => Promise<T>,
): Promise<T> {
  const client = new pg.Client({ connectionString: ownerUrl, application_name: 'indbakke-set-up' });
  await client.connect();
  try {
    await client.query('BEGIN');
    const result = await work(client as Connection);
    await client.query(end);
    return result;
  } finally {
    await client.end();
  }
}
