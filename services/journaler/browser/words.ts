import type { DocumentSummary } from '@indbakke/shared/api';
import { inBoth } from './language.js';

/** What the codes of a letter are called. */
export const WORDS = inBoth({
  da: {
    status: {
      pending: 'Venter',
      held: 'Tilbageholdt',
      journalized: 'Journaliseret',
      rejected: 'Afvist',
      deleted: 'Slettet',
    } satisfies Record<DocumentSummary['status'], string>,
    channel: { sf1606: 'Digital Post', sf2900: 'Fordelingskomponenten' } satisfies Record<
      DocumentSummary['channel'],
      string
    >,
    kind: { reply: 'Svar', enquiry: 'Henvendelse', forwarded: 'Videresendt' } as Record<string, string>,
  },
  en: {
    status: {
      pending: 'Waits',
      held: 'Held',
      journalized: 'Journalized',
      rejected: 'Rejected',
      deleted: 'Deleted',
    },
    channel: { sf1606: 'Digital Post', sf2900: 'Fordelingskomponenten' },
    kind: { reply: 'Reply', enquiry: 'Enquiry', forwarded: 'Forwarded' },
  },
});
