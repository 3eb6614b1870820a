import type { Env } from '@indbakke/shared/config';
import type { Database } from '../local/database.js';
import { EXAMPLE_MUNICIPALITY } from '../local/example-municipality.js';
import { issueLocalToken, issueOperationsToken, type TokenRequest } from '../local/issuer.js';
import { type MunicipalityRegistration, registerMunicipality } from '../local/register-municipality.js';
import { issuerKeyOf, localSettings, makeKeys } from '../local/settings.js';
import type { StatePaths } from '../local/state.js';

/** The hour at which tests and benches run decides nothing. */
const NOTHING_AT_NIGHT: Env = { LEDGER_WINDOW: 'off', SCRUB_WINDOW: 'off' };

/** Tests and benches call as fast as they can, all from one address. */
const WITHOUT_LIMITS: Env = {
  SIGN_IN_FAILURES_PER_MINUTE: '0',
  REQUESTS_PER_MINUTE: '0',
  SYSTEM_REQUESTS_PER_MINUTE: '0',
};

/** Creates what services need to start: keys, and municipalities in a migrated database. @returns their settings */
export async function prepareState(
  paths: StatePaths,
  database: Database,
  municipalities: readonly MunicipalityRegistration[] = [EXAMPLE_MUNICIPALITY],
): Promise<Env> {
  await makeKeys(paths);
  for (const municipality of municipalities) await registerMunicipality(database.ownerUrl, municipality);
  return { ...localSettings(paths), ...NOTHING_AT_NIGHT, ...WITHOUT_LIMITS, DATABASE_URL: database.url, PORT: '0' };
}

/** All roles of a caseworker. */
export const CASEWORKER_ROLES = [
  'IndkomneDokumenter.Læs',
  'IndkomneDokumenter.SeAlle',
  'IndkomneDokumenter.Journaliser',
  'IndkomneDokumenter.Afvis',
  'IndkomneDokumenter.SendVidere',
  'IndkomneDokumenter.Tildel',
  'DigitalPost.Slet',
];

/** A token, by default of a caseworker of the example municipality with every role; a system gets the core’s role. */
export function issueToken(paths: StatePaths, request: Partial<TokenRequest> = {}): Promise<string> {
  return issueLocalToken(issuerKeyOf(paths), {
    municipality: EXAMPLE_MUNICIPALITY.cvr,
    user: 'caseworker-1',
    roles: request.system ? ['Indbakke.System'] : CASEWORKER_ROLES,
    ...request,
  });
}

/** A token of an operator, for operations. */
export function issueOperatorsToken(
  paths: StatePaths,
  request: Partial<Pick<TokenRequest, 'user' | 'roles' | 'hours'>> = {},
): Promise<string> {
  return issueOperationsToken(issuerKeyOf(paths), { user: 'operator-1', ...request });
}
