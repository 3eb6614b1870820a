import { render } from 'preact';
import { useState } from 'preact/hooks';
import { Frame } from './frame.js';
import { type Language, LanguageContext } from './language.js';
import { LetterPage } from './letter/letter-page.js';
import { ListPage } from './list/list-page.js';
import { usePath } from './router.js';
import { followSignIn, remember, remembered } from './session.js';
import { SetUpPage } from './set-up/set-up-page.js';

function App() {
  const path = usePath();
  const [language, setLanguage] = useState(() => remembered<Language>('language', 'da'));
  document.documentElement.lang = language;
  const choose = (chosen: Language) => {
    remember('language', chosen);
    setLanguage(chosen);
  };
  const [, letter] = /^\/letters\/([\w-]+)$/.exec(path) ?? [];
  return (
    <LanguageContext.Provider value={language}>
      <Frame path={path} onLanguage={choose}>
        {letter !== undefined ? (
          <LetterPage id={letter} key={letter} />
        ) : path.startsWith('/set-up') ? (
          <SetUpPage path={path} />
        ) : (
          <ListPage />
        )}
      </Frame>
    </LanguageContext.Provider>
  );
}

const place = document.getElementById('app');
if (place) {
  place.replaceChildren();
  followSignIn();
  render(<App />, place);
}
