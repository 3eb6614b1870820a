import type { OnwardDistribution } from '@indbakke/shared/api';
import { Foreign } from '../foreign.js';
import { inBoth, useTexts } from '../language.js';

const texts = inBoth({
  da: {
    to: (cvr: string, state: string) => `Fordelingskomponenten, til CVR ${cvr}: ${state}`,
    state: {
      waiting: 'på vej.',
      uploaded: 'på vej.',
      sent: 'sendt; modtageren har ikke svaret endnu.',
      accepted: 'modtageren har overtaget brevet.',
      rejected: 'afvist.',
      failed: 'kunne ikke sendes eller modtages.',
    },
  },
  en: {
    to: (cvr: string, state: string) => `Fordelingskomponenten, to CVR ${cvr}: ${state}`,
    state: {
      waiting: 'on its way.',
      uploaded: 'on its way.',
      sent: 'sent; the recipient has not answered yet.',
      accepted: 'the recipient has taken the letter over.',
      rejected: 'rejected.',
      failed: 'could not be sent or taken in.',
    },
  },
});

/** How far a letter is that is sent on. */
export function SentOn({ sentOn }: { readonly sentOn: OnwardDistribution }) {
  const own = useTexts(texts);
  const reason = (sentOn.businessReceipt ?? sentOn.technicalReceipt)?.reason;
  return (
    <p data-sent-on={sentOn.status}>
      {own.to(sentOn.recipient, own.state[sentOn.status])} {reason && <Foreign>{reason}</Foreign>}
    </p>
  );
}
