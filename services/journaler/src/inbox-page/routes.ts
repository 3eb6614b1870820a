import { type ClaimRules, type Identity, type Principal, principalIn, readIdentity } from '@indbakke/shared/access';
import { KiB } from '@indbakke/shared/config';
import { type ErrorCode, Problem } from '@indbakke/shared/errors';
import { html } from '@indbakke/shared/html';
import {
  addressOf,
  auditRefusal,
  createAdmission,
  EXACT_PATHS,
  isOfThisMachine,
  publicPrefixOf,
  readForm,
  toProblem,
} from '@indbakke/shared/http';
import type { Parts } from '@indbakke/shared/service';
import { type InboxSessions, requireSameOrigin, signInRoutes } from '@indbakke/shared/sign-in';
import { Prisma } from '@indbakke/shared/store';
import { type Request, Router } from 'express';
import type { JournalerConfig } from '../config.js';
import { FIRST_PERSON, type LocalSignIn, localCookie, PEOPLE, personOf } from './local.js';
import { sendPage } from './send-page.js';
import { staticFiles } from './static.js';
import { TEXTS } from './texts.js';

const MAX_BODY = KiB;

type PageParts = Pick<Parts, 'failedSignIns' | 'keys' | 'store' | 'tokens' | 'claimRules' | 'isRevoked'>;

const REFUSALS: Partial<Record<ErrorCode, string>> = {
  'too-large': TEXTS.tooLarge,
  'too-many-failed-sign-ins': TEXTS.tooManyFailures,
  'municipality-required': TEXTS.chooseMunicipality,
  'assurance-too-low': TEXTS.lacksAssurance,
  'second-factor-missing': TEXTS.lacksAssurance,
  'delegation-not-accepted': TEXTS.fromElsewhere,
  'role-missing': TEXTS.noRights,
};

/** `/inbox`: a page that calls the inbox API for who has signed in to it. It has no data of its own. */
export function inboxPage(
  parts: PageParts,
  config: JournalerConfig,
  sessions: InboxSessions,
  local: LocalSignIn | undefined,
): Router {
  const router = Router(EXACT_PATHS);
  const chooses = localCookie(parts.keys);
  router.use(staticFiles(), signIn(parts, config, sessions, local));
  // The same page for all paths: its module shows what the path says.
  router.get(/^\/inbox(?:\/[\w/%-]*)?$/, async (req, res) => {
    res.set('Cache-Control', 'no-store');
    const remembered = sessions.readForPage(req);
    const isEnded = remembered?.revocable && (await parts.isRevoked(remembered.revocable));
    const principal = isEnded ? undefined : remembered;
    // With a link of another site, browsers do not send the cookie; with our own page to the same place, they do.
    if (!principal && req.get('sec-fetch-site') === 'cross-site') {
      const here = `${publicPrefixOf(req)}${req.path}`;
      return sendPage(req, res, { title: TEXTS.opening, body: goOnTo(here, TEXTS.opening), goOn: here });
    }
    if (!principal) {
      const to = encodeURIComponent(req.originalUrl);
      return res.redirect(303, `${publicPrefixOf(req)}/inbox/sign-in?to=${to}`);
    }
    const { municipality, actor, roles, teams } = principal;
    const isLocal = local !== undefined && isOfThisMachine(req) && chooses.read(req) === true;
    const session = JSON.stringify({ municipality, id: actor.id, roles: [...roles], teams, isLocal });
    sendPage(req, res, {
      title: 'Indkomne dokumenter',
      body: html`<div id="app" data-session="${session}"><noscript>${TEXTS.needsScript}</noscript></div>`,
      module: 'main.js',
    });
  });
  return router;
}

const goOnTo = (href: string, title: string) =>
  html`<main class="sign-in" id="content"><h1>${title}</h1>
<p><a class="button button-primary" href="${href}">${TEXTS.goOn}</a></p></main>`;

function signIn(
  parts: PageParts,
  config: JournalerConfig,
  sessions: InboxSessions,
  local: LocalSignIn | undefined,
): Router {
  const { INBOX_OIDC_ISSUER: issuer } = config;
  const chooses = localCookie(parts.keys);
  const admit = createAdmission(parts.store);
  /** @throws Problem which the audit log of the one who is refused has then */
  const enter = async (identity: Identity, req: Request, municipality?: string) => {
    const principal = principalIn(identity, municipality);
    try {
      await admit(principal);
      if (principal.roles.size === 0) throw new Problem('role-missing', 'The token grants no role.');
    } catch (error) {
      const by = { ...principal, origin: addressOf(req) };
      await auditRefusal(parts.store, by, { method: 'post', path: '/inbox/sign-in' }, {}, toProblem(error));
      throw error;
    }
    return principal;
  };
  const who = local && personOf(local.municipality, FIRST_PERSON);
  const router = signInRoutes<Principal>(parts, {
    base: '/inbox',
    oidc:
      issuer === undefined
        ? undefined
        : {
            issuer,
            clientId: config.INBOX_OIDC_CLIENT_ID,
            clientSecret: config.INBOX_OIDC_CLIENT_SECRET,
            scope: config.INBOX_OIDC_SCOPE,
            acrValues: acrValuesOf(parts.claimRules),
          },
    link: local && who && { secret: local.link, who },
    byToken: async (token, req, municipality) => enter(await parts.tokens.verify(token), req, municipality),
    byClaims: async (claims, req, municipality) => enter(readIdentity(parts.claimRules, claims), req, municipality),
    begin(req, res, principal, until) {
      sessions.begin(req, res, principal, until);
      if (principal === who) chooses.set(req, res, true);
    },
    end: (req, res) => sessions.end(req, res),
    async showForm(req, res, { to, problem }) {
      const prefix = publicPrefixOf(req);
      const people = local && isOfThisMachine(req) && chooses.read(req) ? await municipalities() : [];
      const choice = people.map(
        ({ cvr, isTraining }) => html`<h2>${TEXTS.inMunicipality(cvr, isTraining)}</h2>
<form method="post" action="${prefix}/inbox/sign-in/as"><input type="hidden" name="municipality" value="${cvr}"><p class="buttons">
${Object.keys(PEOPLE).map((id) => html`<button class="button button-secondary" name="id" value="${id}">${id}</button>`)}</p></form>`,
      );
      const start = `${prefix}/inbox/sign-in/start?to=${encodeURIComponent(to)}`;
      const choices = await Promise.all(
        (problem?.choices ?? []).map(async (cvr) => ({ cvr, name: await nameOf(parts, cvr) })),
      );
      const withIssuer =
        choices.length > 0
          ? choices.map(
              ({ cvr, name }) =>
                html`<p><a class="button button-primary" href="${start}&municipality=${cvr}">${name}</a></p>`,
            )
          : html`<p>${TEXTS.withIssuer}</p>
<p><a class="button button-primary" href="${start}">${TEXTS.title}</a></p>`;
      const withToken = html`<form method="post" action="${prefix}/inbox/sign-in">
<input type="hidden" name="to" value="${to}">
<label class="form-label" for="token">${TEXTS.token}</label>
<p class="hint" id="token-hint">${TEXTS.tokenHint} <code>npm run -s token -- --help</code></p>
<input class="form-input" id="token" name="token" type="password" autocomplete="off" required aria-describedby="token-hint">
${
  choices.length > 0 &&
  html`<label class="form-label" for="municipality">${TEXTS.municipality}</label>
<select class="form-select" id="municipality" name="municipality">${choices.map(({ cvr, name }) => html`<option value="${cvr}">${name}</option>`)}</select>`
}
<p><button class="button button-primary" type="submit">${TEXTS.title}</button></p></form>`;
      sendPage(req, res, {
        title: TEXTS.title,
        body: html`<main class="sign-in" id="content"><h1>${TEXTS.title}</h1>
${problem && html`<div class="alert ${choices.length > 0 ? 'alert-info' : 'alert-error'}" role="alert">${REFUSALS[problem.code] ?? TEXTS.notSignedIn}</div>`}
${choice.length > 0 && html`<p>${TEXTS.choose}. ${TEXTS.chooseHint}</p>${choice}`}
${issuer === undefined ? withToken : withIssuer}</main>`,
      });
    },
    showSignedIn(req, res, goOn) {
      sendPage(req, res, {
        title: TEXTS.signedIn,
        body: goOnTo(goOn, TEXTS.signedIn),
        goOn,
      });
    },
  });

  const municipalities = () =>
    parts.store.sweep<{ cvr: string; isTraining: boolean }>(
      'SELECT cvr, is_training AS "isTraining" FROM municipalities ORDER BY is_training, cvr LIMIT 10',
    );
  if (local) {
    router.post('/inbox/sign-in/as', requireSameOrigin, readForm(MAX_BODY), async (req, res) => {
      const { municipality, id } = req.body ?? {};
      const isThere = (await municipalities()).some(({ cvr }) => cvr === municipality);
      const principal = isThere ? personOf(String(municipality), String(id)) : undefined;
      if (!principal || !isOfThisMachine(req) || !chooses.read(req)) {
        throw new Problem('not-signed-in', 'Open the link that npm start prints.');
      }
      sessions.begin(req, res, principal);
      res.redirect(303, `${publicPrefixOf(req)}/inbox`);
    });
  }
  return router;
}

/** Who may choose it may know its name. */
async function nameOf({ store }: Pick<Parts, 'store'>, cvr: string): Promise<string> {
  const statement = Prisma.sql`SELECT name FROM municipalities WHERE cvr = ${cvr}`;
  const [municipality] = await store.query<{ name: string }>(cvr, statement, 'kept');
  return municipality?.name ?? cvr;
}

/** Context Handler raises the level of the sign-in when it is asked for (Safewhere/kombit samples). */
const acrValuesOf = ({ required: { level } }: ClaimRules) =>
  level && `https://data.gov.dk/concept/core/nsis/loa/${level}`;
