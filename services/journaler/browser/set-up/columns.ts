import { inBoth } from '../language.js';

/** The columns that a table to import can have, and what is in their cells. */
export const COLUMNS = inBoth({
  da: {
    contactPoints: {
      id: 'Id i Digital Post. Skal udfyldes.',
      name: 'Navn. Skal udfyldes.',
      purpose: 'replies (svar), enquiries (henvendelser og videresendt post) eller both (al post)',
      isActive: 'ja eller nej',
      isConcern: 'ja, hvis det er til underretninger',
      visibleTo: 'CITIZEN, COMPANY og AUTHORITY, med mellemrum imellem',
      kle: 'KLE-nummer',
      orgUnit: 'Organisatorisk enhed',
      sensitivity: 'Følsomhed',
      assigneeKind: 'user (medarbejder) eller team',
      assigneeId: 'Id for den, posten fordeles til',
      closedCaseTeam: 'Id for teamet til svar på lukkede sager',
      label1: 'Navnet på et felt, som afsenderen udfylder; også label2',
      meaning1: 'child-cpr, child-name, school, reference eller other; også meaning2',
    } as Record<string, string>,
    departments: {
      id: 'Id. Skal udfyldes.',
      name: 'Navn. Skal udfyldes.',
      email: 'Mailadresse',
      phone: 'Telefon',
      address: 'Adresse',
      note: 'Bemærkning',
      isActive: 'ja eller nej',
    } as Record<string, string>,
  },
  en: {
    contactPoints: {
      id: 'Id in Digital Post. Required.',
      name: 'Name. Required.',
      purpose: 'replies, enquiries (and forwarded mail) or both',
      isActive: 'true or false',
      isConcern: 'true if it is for reports of concern',
      visibleTo: 'CITIZEN, COMPANY and AUTHORITY, with spaces between',
      kle: 'KLE number',
      orgUnit: 'Org unit',
      sensitivity: 'Sensitivity',
      assigneeKind: 'user or team',
      assigneeId: 'Id of who its mail is assigned to',
      closedCaseTeam: 'Id of the team for replies to closed cases',
      label1: 'The name of a field that the sender fills in; also label2',
      meaning1: 'child-cpr, child-name, school, reference or other; also meaning2',
    },
    departments: {
      id: 'Id. Required.',
      name: 'Name. Required.',
      email: 'E-mail address',
      phone: 'Telephone',
      address: 'Address',
      note: 'Note',
      isActive: 'true or false',
    },
  },
});
