import { inBoth, useFormat, useLanguage, useTexts } from '../language.js';
import { sentenceOf } from './deeds.js';
import type { Failure } from './use-letter.js';

const texts = inBoth({
  da: {
    title: 'Imens er der sket dette:',
    impossible: 'Derfor kan det ikke gøres længere. Det, du har skrevet, er her stadig.',
    again: 'Vil du det stadig, så tryk igen.',
  },
  en: {
    title: 'Meanwhile this has happened:',
    impossible: 'So it cannot be done any more. What you typed is still here.',
    again: 'If you still want it, press again.',
  },
});

/** Who did what, when somebody was first. */
export function Meanwhile({ failure: { meanwhile, isPossible } }: { readonly failure: Failure }) {
  const own = useTexts(texts);
  const language = useLanguage();
  const format = useFormat();
  if (meanwhile.length === 0) return null;
  return (
    <div class="alert alert-warning meanwhile">
      <p>{own.title}</p>
      <ul>
        {meanwhile.map(({ at, action, by }) => (
          <li key={at + action}>
            {sentenceOf(by, action, language)}, {format.time(at)}
          </li>
        ))}
      </ul>
      <p>{isPossible ? own.again : own.impossible}</p>
    </div>
  );
}
