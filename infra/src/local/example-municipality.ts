import type { MunicipalityRegistration } from './register-municipality.js';

/** The municipality that every local stack has. No authority has this CVR number. */
export const EXAMPLE_MUNICIPALITY = {
  cvr: '22222222',
  name: 'Eksempel Kommune',
  contactPoints: [{ id: '241d39f6-998e-4929-b198-ccacbbf4b330', name: 'Børn og familie' }],
} satisfies MunicipalityRegistration;
