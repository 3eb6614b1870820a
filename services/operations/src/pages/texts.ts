import type { Request, Response } from 'express';
import { inBoth, type Language } from './language.js';

/** What the pages say besides their sections. */
export const TEXTS = inBoth({
  da: {
    product: 'Indbakke, drift',
    skip: 'Gå til indhold',
    overview: 'Overblik',
    pages: 'Sider',
    console: 'Jobkonsol',
    otherLanguage: 'English',
    signOut: 'Log ud',
    signedInAs: (id: string) => `Logget ind som ${id}`,
    needsAction: 'Kræver handling',
    allWell: 'Intet kræver handling.',
    act: (title: string) => `Se og handl: ${title}`,
    unreadable: 'Kunne ikke læses',
    unreadableWhy: 'Databasen eller køen svarer ikke. Siden prøver igen af sig selv.',
    updatedAt: 'Opdateret',
    pause: 'Sæt opdatering på pause',
    goOn: 'Genoptag opdatering',
    signedOut: 'Du er logget ud, eller siden svarer ikke. Genindlæs siden.',
    figures: 'Tallene som tabel',
    when: 'Hvornår',
    none: 'Ingen',
    yes: 'Ja',
    cancel: 'Fortryd',
    sure: 'Er du sikker?',
    tooLate: 'Det kunne ikke gøres: det er allerede gjort, eller det findes ikke længere.',
    failed: 'Det gik ikke',
    correlation: 'Opgiv dette nummer, hvis du melder det',
    back: 'Tilbage til overblikket',
    signIn: {
      title: 'Log ind',
      signedIn: 'Du er logget ind',
      goOn: 'Gå til siden',
      withIssuer: 'Du logger ind hos din organisation. Du skal have rollen Indbakke.Drift.',
      token: 'Token til drift',
      tokenHint: 'På en lokal installation:',
      refusals: {
        'not-signed-in': 'Du blev ikke logget ind. Tokenet eller linket gælder ikke (længere).',
        'too-many-failed-sign-ins':
          'Du blev ikke logget ind, og det er gået galt mange gange fra din adresse. Vent et øjeblik, før du prøver igen.',
        'role-missing': 'Du blev ikke logget ind: siden kræver et token til drift med rollen Indbakke.Drift.',
      } as Record<string, string>,
    },
  },
  en: {
    product: 'Indbakke, operations',
    skip: 'Skip to content',
    overview: 'Overview',
    pages: 'Pages',
    console: 'Job console',
    otherLanguage: 'Dansk',
    signOut: 'Sign out',
    signedInAs: (id: string) => `Signed in as ${id}`,
    needsAction: 'Needs action',
    allWell: 'Nothing needs action.',
    act: (title: string) => `See and act: ${title}`,
    unreadable: 'Could not be read',
    unreadableWhy: 'The database or the queue does not answer. The page tries again by itself.',
    updatedAt: 'Updated',
    pause: 'Pause updates',
    goOn: 'Resume updates',
    signedOut: 'You are signed out, or the page does not answer. Load it again.',
    figures: 'The figures as a table',
    when: 'When',
    none: 'None',
    yes: 'Yes',
    cancel: 'Cancel',
    sure: 'Are you sure?',
    tooLate: 'It could not be done: it is done already, or is no longer there.',
    failed: 'That failed',
    correlation: 'Quote this number when you report it',
    back: 'Back to the overview',
    signIn: {
      title: 'Sign in',
      signedIn: 'You are signed in',
      goOn: 'Go to the page',
      withIssuer: 'You sign in at your organisation. You need the role Indbakke.Drift.',
      token: 'Token for operations',
      tokenHint: 'On a local installation:',
      refusals: {
        'not-signed-in': 'You were not signed in. The token or link is not valid (any more).',
        'too-many-failed-sign-ins':
          'You were not signed in, and it has failed many times from your address. Wait a moment before you try again.',
        'role-missing':
          'You were not signed in: the page requires a token for operations with the role Indbakke.Drift.',
      } as Record<string, string>,
    },
  },
});

export type Texts = (typeof TEXTS)['da'];

const COOKIE = 'indbakke-language';
const YEAR_MS = 365 * 24 * 60 * 60 * 1_000;

/** The one that was chosen, else the one that the browser prefers, else Danish. */
export function languageOf(req: Request, res: Response): Language {
  res.locals.language ??= chooseLanguage(req, res);
  return res.locals.language as Language;
}

function chooseLanguage(req: Request, res: Response): Language {
  const { language: asked } = req.query;
  if (asked === 'da' || asked === 'en') {
    res.cookie(COOKIE, asked, { httpOnly: true, sameSite: 'lax', path: '/', maxAge: YEAR_MS });
    return asked;
  }
  const [, chosen] = new RegExp(`(?:^|; *)${COOKIE}=(da|en)`).exec(req.get('cookie') ?? '') ?? [];
  return (chosen ?? (req.acceptsLanguages('da', 'en') || 'da')) as Language;
}

export const textsFor = (req: Request, res: Response): Texts => TEXTS[languageOf(req, res)];
