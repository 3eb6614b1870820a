import type { ComponentChildren } from 'preact';
import { useEffect, useRef } from 'preact/hooks';
import { inBoth, type Language, useLanguage, useTexts } from './language.js';
import { Link, type Path } from './router.js';
import { hasRole, PREFIX, SESSION } from './session.js';

const texts = inBoth({
  da: {
    product: 'Indbakke',
    skip: 'Gå til indhold',
    pages: 'Sider',
    list: 'Indkomne dokumenter',
    setUp: 'Opsætning',
    otherLanguage: 'English',
    signOut: 'Log ud',
    as: (id: string, cvr: string) => `${id} i kommunen ${cvr}`,
    change: 'Skift person',
  },
  en: {
    product: 'Indbakke',
    skip: 'Skip to content',
    pages: 'Pages',
    list: 'Incoming documents',
    setUp: 'Set-up',
    otherLanguage: 'Dansk',
    signOut: 'Sign out',
    as: (id: string, cvr: string) => `${id} in municipality ${cvr}`,
    change: 'Change person',
  },
});

interface FrameProps {
  readonly path: Path;
  readonly onLanguage: (language: Language) => void;
  readonly children: ComponentChildren;
}

/** Header and navigation around every page. */
export function Frame({ path, onLanguage, children }: FrameProps) {
  const own = useTexts(texts);
  const language = useLanguage();
  const other = language === 'da' ? 'en' : 'da';
  const tab = (to: Path, title: string, isHere: boolean) => (
    <li>
      <Link class="tab" to={to} isHere={isHere}>
        {title}
      </Link>
    </li>
  );
  const isSetUp = path.startsWith('/set-up');
  return (
    <>
      <a class="skipnav" href="#content">
        {own.skip}
      </a>
      <header class="top">
        <p class="product">{own.product}</p>
        <div class="who">
          <span>{own.as(SESSION.id, SESSION.municipality)}</span>
          <button class="button button-unstyled" type="button" lang={other} onClick={() => onLanguage(other)}>
            {own.otherLanguage}
          </button>
          {SESSION.isLocal && <a href={`${PREFIX}/inbox/sign-in`}>{own.change}</a>}
          <form method="post" action={`${PREFIX}/inbox/sign-out`}>
            <button class="button button-secondary" type="submit">
              {own.signOut}
            </button>
          </form>
        </div>
        <nav aria-label={own.pages}>
          <ul class="no-max-width">
            {tab('/', own.list, !isSetUp)}
            {hasRole('Indbakke.Opsætning') && tab('/set-up', own.setUp, isSetUp)}
          </ul>
        </nav>
      </header>
      <main id="content" tabIndex={-1}>
        {children}
      </main>
    </>
  );
}

/** The heading of a page, which names it to the browser too, and has the focus when one comes to it. */
export function Title({ children }: { readonly children: string }) {
  const { product } = useTexts(texts);
  const heading = useRef<HTMLHeadingElement>(null);
  useEffect(() => {
    document.title = `${children} – ${product}`;
  }, [children, product]);
  useEffect(() => {
    if (document.activeElement === document.body) heading.current?.focus();
  }, []);
  return (
    <h1 ref={heading} tabIndex={-1}>
      {children}
    </h1>
  );
}
