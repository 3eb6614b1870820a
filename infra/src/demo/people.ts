import { EXAMPLE_MUNICIPALITY } from '../local/example-municipality.js';
import type { MunicipalityRegistration } from '../local/register-municipality.js';

// Nobody here exists: no month has a 41st day, and no one has these CVR numbers.

export const MUNICIPALITY = EXAMPLE_MUNICIPALITY;
export const NEIGHBOUR: MunicipalityRegistration = {
  ...EXAMPLE_MUNICIPALITY,
  cvr: '33333333',
  name: 'Nabo Kommune',
  contactPoints: [],
};

export const CONTACT_POINT = '241d39f6-998e-4929-b198-ccacbbf4b330';

export const MOTHER = { id: '4101019999', idType: 'CPR', name: 'Test Testesen' };
export const FATHER = { id: '4201019998', idType: 'CPR', name: 'Prøve Prøvesen' };
export const CHILD = { cpr: '4301019997', name: 'Barn Testesen' };
export const SCHOOL = { id: '99999999', idType: 'CVR', name: 'Eksempel Skole' };
export const SHOP = { id: '88888888', idType: 'CVR', name: 'Eksempel Kontormøbler' };

export interface Caseworker {
  readonly user: string;
  readonly roles: readonly string[];
}

/** Sees all messages of the municipality and has every role of a caseworker. */
export const CASEWORKER: Caseworker = {
  user: 'sagsbehandler-1',
  roles: [
    'IndkomneDokumenter.Læs',
    'IndkomneDokumenter.SeAlle',
    'IndkomneDokumenter.Journaliser',
    'IndkomneDokumenter.Afvis',
    'DigitalPost.Slet',
  ],
};
/** Sees messages of her own cases only, and may not change them. */
export const COLLEAGUE: Caseworker = { user: 'sagsbehandler-2', roles: ['IndkomneDokumenter.Læs'] };
/** Sees held messages only. */
export const SETUP: Caseworker = { user: 'opsætning-1', roles: ['Indbakke.Opsætning'] };

export const CASES = {
  /** The caseworker’s case. */
  child: { caseId: 'BF-2026-1001', caseworker: CASEWORKER.user, parties: [MOTHER.id, FATHER.id, CHILD.cpr] },
  /** The colleague’s case. */
  school: { caseId: 'BF-2026-1002', caseworker: COLLEAGUE.user, parties: [MOTHER.id] },
  /** With a UUID: other systems can suggest only such a case (SF2900 2.4, SagForslag). */
  support: { caseId: '7e9c2b14-0f3a-4d58-9b61-c2a4e8d07f35', caseworker: CASEWORKER.user, parties: [CHILD.cpr] },
};
