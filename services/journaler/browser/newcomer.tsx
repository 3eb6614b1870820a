import { inBoth, useTexts } from './language.js';
import { PREFIX, SESSION } from './session.js';

const texts = inBoth({
  da: {
    none: 'Installationen er lokal, og her er ingen breve endnu. Fyld en kommune til øvelse i en anden terminal:',
    next: 'Vælg så, hvem du vil være i kommunen 99999999:',
    change: 'Skift person',
  },
  en: {
    none: 'This is a local stack without letters yet. Fill a municipality to practise in, in another terminal:',
    next: 'Then choose who you want to be in municipality 99999999:',
    change: 'Change person',
  },
});

/** On a local stack whose inbox is empty: how to get letters. */
export function HowToGetLetters() {
  const own = useTexts(texts);
  if (!SESSION.isLocal) return null;
  return (
    <div class="alert alert-info">
      <p>
        {own.none} <code>npm run training -- fill</code>
      </p>
      <p>
        {own.next} <a href={`${PREFIX}/inbox/sign-in`}>{own.change}</a>
      </p>
    </div>
  );
}
