import type { DocumentAnswer } from '@indbakke/shared/api';
import { CHOICES } from '../actions/words.js';
import { inBoth, useFormat, useLanguage, useTexts } from '../language.js';
import { sentenceOf } from './deeds.js';
import { LETTER_WORDS } from './words.js';

const texts = inBoth({
  da: { title: 'Historik', remarks: (count: number) => `Bemærkninger til brevets form (${count})` },
  en: { title: 'History', remarks: (count: number) => `Remarks on the form of the letter (${count})` },
});

/** What happened to the letter, newest first. */
export function History({ letter }: { readonly letter: DocumentAnswer }) {
  const own = useTexts(texts);
  const language = useLanguage();
  const format = useFormat();
  const { rejection } = useTexts(LETTER_WORDS);
  const { takingBack } = useTexts(CHOICES);
  const reasons: Readonly<Record<string, string>> = { ...rejection, ...takingBack };
  const codesOf = (details: Readonly<Record<string, unknown>>): string => {
    const { caseId, caseIds, assigneeId, reason } = details;
    const named = [caseId, ...(Array.isArray(caseIds) ? caseIds : []), assigneeId];
    const because = typeof reason === 'string' ? reasons[reason] : undefined;
    return [...named.filter((each) => typeof each === 'string'), because].filter(Boolean).join(', ');
  };
  return (
    <section aria-labelledby="history">
      <h2 id="history">{own.title}</h2>
      <ol class="history">
        {letter.history.toReversed().map(({ at, action, by, details }) => (
          <li key={at + action}>
            <time dateTime={at}>{format.time(at)}</time>
            <span>
              {sentenceOf(by, action, language)}
              {codesOf(details) && `: ${codesOf(details)}`}
            </span>
          </li>
        ))}
      </ol>
    </section>
  );
}

/** Minor faults of the letter as it was sent, in words. */
export function Remarks({ letter: { remarks } }: { readonly letter: DocumentAnswer }) {
  const own = useTexts(texts);
  const words = useTexts(LETTER_WORDS);
  if (remarks.length === 0) return null;
  return (
    <details>
      <summary>{own.remarks(remarks.length)}</summary>
      <ul>
        {remarks.map(({ code, path }) => (
          <li key={code + path}>
            {words.remark[code] ?? code} <code>{path}</code>
          </li>
        ))}
      </ul>
    </details>
  );
}
