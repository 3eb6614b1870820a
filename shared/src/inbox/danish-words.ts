import type { DocumentAnswer, DocumentSummary } from '../api/index.js';

// As people in a municipality read them.

export const STATUS_WORDS: Record<DocumentSummary['status'], string> = {
  pending: 'Afventer',
  held: 'Tilbageholdt',
  journalized: 'Journaliseret',
  rejected: 'Afvist',
  deleted: 'Slettet',
};

export const CHANNEL_WORDS: Record<DocumentSummary['channel'], string> = {
  sf1606: 'Digital Post',
  sf2900: 'Fordelingskomponenten',
};

export const KIND_WORDS: Record<DocumentSummary['kind'], string> = {
  reply: 'Svar',
  enquiry: 'Henvendelse',
  forwarded: 'Videresendt',
};

type Distribution = NonNullable<DocumentAnswer['distribution']>;

export const OBJECT_TYPE_WORDS: Record<Distribution['objectType'], string> = {
  DOKUMENT: 'Dokument',
  JOURNALPOST: 'Journalpost',
  FORMULAR: 'Formular',
};

export const PARTY_ROLE_WORDS: Record<Distribution['parties'][number]['role'], string> = {
  primary: 'Primær part',
  secondary: 'Sekundær part',
  copy: 'Kopimodtager',
};
