import type { DocumentAnswer } from '@indbakke/shared/api';
import { inBoth, useTexts } from '../language.js';
import { Fact } from './facts.js';
import { LETTER_WORDS } from './words.js';

const texts = inBoth({
  da: {
    title: 'Foreslået sag',
    none: 'Ingen sag er foreslået.',
    why: 'Hvorfor',
    status: 'Sagens status',
    caseworker: 'Sagsbehandler',
    team: 'Team',
    unknown: 'Fagsystemet har ikke oplyst sagen.',
    movedTo: (cvr: string) => `Sagen er flyttet til kommunen ${cvr}.`,
    movedFrom: (cvr: string) => `Sagen kom fra kommunen ${cvr}.`,
    handover: (cvr: string, status: string) => `Tilbuddet om brevet til eller fra kommunen ${cvr} ${status}.`,
  },
  en: {
    title: 'Suggested case',
    none: 'No case is suggested.',
    why: 'Why',
    status: 'Status of the case',
    caseworker: 'Caseworker',
    team: 'Team',
    unknown: 'The case system has not told of the case.',
    movedTo: (cvr: string) => `The case has moved to municipality ${cvr}.`,
    movedFrom: (cvr: string) => `The case came from municipality ${cvr}.`,
    handover: (cvr: string, status: string) => `The offer of the letter to or from municipality ${cvr} ${status}.`,
  },
});

/** An authority is neither a party to the case nor whom the municipality wrote to. */
const isByAuthority = ({ basis }: NonNullable<DocumentAnswer['suggestion']>) => basis === 'sag-forslag';

/** Which case it probably belongs to, and why. */
export function SuggestedCase({ letter }: { readonly letter: DocumentAnswer }) {
  const own = useTexts(texts);
  const words = useTexts(LETTER_WORDS);
  const { suggestion, handover } = letter;
  return (
    <section aria-labelledby="case-title">
      <h2 id="case-title">
        {own.title}
        {suggestion && (
          <>
            : <strong>{suggestion.caseId}</strong>
          </>
        )}
      </h2>
      {!suggestion && <p>{own.none}</p>}
      {suggestion && (
        <>
          {suggestion.warning && <p class="alert alert-warning">{words.warning[suggestion.warning]}</p>}
          <ul>
            <li>{words.basis[suggestion.basis]}</li>
            {!isByAuthority(suggestion) && (
              <li class={suggestion.sender === 'other' ? 'caution' : ''}>{words.sender[suggestion.sender]}</li>
            )}
            {suggestion.party && <li>{words.party[suggestion.party]}</li>}
            {suggestion.movedTo && <li>{own.movedTo(suggestion.movedTo)}</li>}
            {suggestion.movedFrom && <li>{own.movedFrom(suggestion.movedFrom)}</li>}
            {!suggestion.caseStatus && <li>{own.unknown}</li>}
          </ul>
          <dl>
            {suggestion.caseStatus && <Fact name={own.status}>{words.caseStatus[suggestion.caseStatus]}</Fact>}
            {suggestion.caseworker && <Fact name={own.caseworker}>{suggestion.caseworker}</Fact>}
            {suggestion.team && <Fact name={own.team}>{suggestion.team}</Fact>}
          </dl>
        </>
      )}
      {handover && <p>{own.handover(handover.municipality, words.handover[handover.status])}</p>}
    </section>
  );
}
