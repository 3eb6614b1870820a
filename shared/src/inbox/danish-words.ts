import type { DocumentSummary } from '../api/index.js';

// As people in a municipality read them.

export const STATUS_WORDS: Record<DocumentSummary['status'], string> = {
  pending: 'Afventer',
  held: 'Tilbageholdt',
  journalized: 'Journaliseret',
  rejected: 'Afvist',
  deleted: 'Slettet',
};

export const KIND_WORDS: Record<DocumentSummary['kind'], string> = {
  reply: 'Svar',
  enquiry: 'Henvendelse',
  forwarded: 'Videresendt',
};
