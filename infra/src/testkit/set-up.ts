import type { Env } from '@indbakke/shared/config';
import type { Database } from '../local/database.js';
import { EXAMPLE_MUNICIPALITY } from '../local/example-municipality.js';
import { issueLocalToken, type TokenRequest } from '../local/issuer.js';
import { type MunicipalityRegistration, registerMunicipality } from '../local/register-municipality.js';
import { issuerKeyOf, localSettings, makeKeys } from '../local/settings.js';
import type { StatePaths } from '../local/state.js';

/** Makes what services need to start: keys, and municipalities in a migrated database. @returns their settings */
export async function prepareState(
  paths: StatePaths,
  database: Database,
  municipalities: readonly MunicipalityRegistration[] = [EXAMPLE_MUNICIPALITY],
): Promise<Env> {
  await makeKeys(paths);
  for (const municipality of municipalities) await registerMunicipality(database.ownerUrl, municipality);
  return { ...localSettings(paths), DATABASE_URL: database.url, PORT: '0' };
}

/** Every role that a caseworker can have. */
export const CASEWORKER_ROLES = [
  'IndkomneDokumenter.Læs',
  'IndkomneDokumenter.SeAlle',
  'IndkomneDokumenter.Journaliser',
  'IndkomneDokumenter.Afvis',
  'IndkomneDokumenter.Tildel',
  'DigitalPost.Slet',
];

/** By default of a caseworker of the example municipality with every role; of a system with that of the core. */
export function issueToken(paths: StatePaths, request: Partial<TokenRequest> = {}): Promise<string> {
  return issueLocalToken(issuerKeyOf(paths), {
    municipality: EXAMPLE_MUNICIPALITY.cvr,
    user: 'caseworker-1',
    roles: request.system ? ['Indbakke.System'] : CASEWORKER_ROLES,
    ...request,
  });
}
